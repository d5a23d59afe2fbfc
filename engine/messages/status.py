"""Whether a channel's provider can be reached, kept in `workspace_settings` as `status.CHANNEL-PROVIDER`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine import workspace

names = {"email": "status.smtp", "sms": "status.phone", "bounces": "status.bounces"}


def _name(channel: str) -> str:
    """`relay HOST:PORT` is that of an identity."""
    return names.get(channel) or f"status.{channel}"


@dataclass(frozen=True, slots=True)
class Status:
    """`since` is when it became so; `error` the reason in words while it is not ok."""

    ok: bool
    since: dt.datetime
    error: str = ""


def read(session: Session, channel: str) -> Status | None:
    """The status as last seen; None before the first message."""
    value = workspace.get(session, _name(channel))
    if not value:
        return None
    return Status(value["ok"], dt.datetime.fromisoformat(value["since"]), value["error"])


def write(session: Session, channel: str, now: dt.datetime, error: str = "") -> None:
    """Note that the provider works (no error) or does not. `since` moves only when that changes."""
    before, ok = read(session, channel), not error
    if before is not None and before.ok == ok and before.error == error:
        return
    since = before.since if before is not None and before.ok == ok else now
    workspace.put(session, _name(channel), {"ok": ok, "since": since.isoformat(), "error": error.replace("\0", "")})
