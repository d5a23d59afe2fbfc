"""The change inbox: the commit that changes a contact says so, for journeys and segments to look again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from engine.db import copy_rows

NEW_CONTACT = "created_at"  # among the names of a change: everything about the contact is new


def announce(session: Session, changes: Iterable[tuple[int, str, Sequence[str]]], now: dt.datetime) -> None:
    """Write (contact id, kind, names) rows. Kinds: see `engine.model.ChangeInbox`."""
    rows = [(contact_id, kind, list(names), now) for contact_id, kind, names in changes]
    if rows:
        types = ("int8", "text", "text[]", "timestamptz")
        copy_rows(session, "change_inbox(contact_id, kind, names, created_at)", types, rows)
