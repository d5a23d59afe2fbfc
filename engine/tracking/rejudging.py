"""Judging stored hits again in the background: somebody asks, workers go on from where the last batch ended."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.model import AuditLog
from engine.tracking.classify import VERSION
from engine.tracking.rejudge import rejudge

ASKED, DONE = "hits.rejudging", "hits.rejudged"
CLAIM = text("select value from workspace_settings where name = :name for update skip locked")
END = text("delete from workspace_settings where name = :name")


@dataclass(frozen=True, slots=True)
class Progress:
    """`moved` counts the hits whose class changed; `finished_at` is None while it goes on."""

    asked_at: dt.datetime
    by: str
    messages: int
    moved: int
    finished_at: dt.datetime | None = None


def ask(session: Session, by: str, now: dt.datetime, *, everything: bool) -> None:
    """Judge again what other rules judged, or with `everything` all. One that goes on already goes on."""
    workspace.put_new(session, ASKED, _value(by, now, everything))
    detail = {"version": VERSION, "everything": everything}
    session.add(AuditLog(actor=by, action="hits judged again", object="hits", detail=detail, at=now))


def step(session: Session, now: dt.datetime) -> bool:
    """Judge one batch; False when nobody asked, another worker is at it, or it is done. The caller commits."""
    value = session.execute(CLAIM, {"name": ASKED}).scalar()
    if value is None:
        return False
    done = rejudge(session, now, after=value["after"], everything=value["everything"])
    value = value | {"messages": value["messages"] + done.messages, "moved": value["moved"] + done.moved.total()}
    if done.after is not None:
        workspace.put(session, ASKED, value | {"after": done.after})
        return True
    workspace.put(session, DONE, value | {"finished_at": now.isoformat()})
    session.execute(END, {"name": ASKED})
    return False


def progress(session: Session) -> Progress | None:
    """What goes on, else what was done last; None if nobody ever asked."""
    value = workspace.get(session, ASKED) or workspace.get(session, DONE)
    if value is None:
        return None
    ended = value.get("finished_at")
    return Progress(
        dt.datetime.fromisoformat(value["asked_at"]),
        value["by"],
        value["messages"],
        value["moved"],
        dt.datetime.fromisoformat(ended) if ended else None,
    )


def _value(by: str, now: dt.datetime, everything: bool) -> dict[str, Any]:
    return {"by": by, "asked_at": now.isoformat(), "everything": everything, "after": 0, "messages": 0, "moved": 0}
