"""Texts that a sign-up would have needed and did not get: counted for whoever looks, and told to colleagues."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from engine import workspace
from engine.receipts.tell import tell_colleagues
from engine.tracking.signups import LOCK, Limited

SHOWN = dt.timedelta(days=1)
STATUS = "status.signups"


@dataclass(frozen=True, slots=True)
class Bite:
    """That texts were refused lately: how many since when, the last one when and why."""

    count: int
    since: dt.datetime
    last: dt.datetime
    why: str


def note(session: Session, refused: Limited, now: dt.datetime) -> None:
    """Keep that a text was refused, for whoever looks; the first time in a day colleagues are told."""
    if not refused.why:
        return
    session.execute(LOCK)
    before = bitten(session, now)
    count, since = (before.count + 1, before.since) if before else (1, now)
    value = {"count": count, "since": since.isoformat(), "last": now.isoformat(), "why": refused.why}
    workspace.put(session, STATUS, value)
    if before is None:
        tell_colleagues(session, _told(refused.why), now)


def bitten(session: Session, now: dt.datetime) -> Bite | None:
    """What was refused lately; None after a day without a refusal."""
    value: dict[str, Any] | None = workspace.get(session, STATUS)
    if not value:
        return None
    since, last = (dt.datetime.fromisoformat(value[name]) for name in ("since", "last"))
    return Bite(value["count"], since, last, value["why"]) if last > now - SHOWN else None


def _told(why: str) -> str:
    return (
        "Cairn refuses sign-ups by text\n\n"
        f"Somebody asked for a text that confirms a sign-up, and it was not sent: {why}.\n\n"
        "If these are people, name their countries:\n\n    cairn workspace set sms_signup_countries DE,AT\n\n"
        "or raise the limits sms_signups_per_hour and sms_signups_per_day in the same way. If they are not, somebody "
        "types numbers that earn them money: take the form off the web for a while, on the page Forms.\n"
    )
