"""The change inbox: the commit that changes a contact says so, for journeys and segments to look again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.db import copy_rows, int_array

NEW_CONTACT = "created_at"  # among the names of a change: everything about the contact is new
FEW = 20  # kinds of change that are written a statement each
ANNOUNCE = text("""
insert into change_inbox (contact_id, kind, names, created_at)
select contact_id, :kind, cast(:names as text[]), :now from unnest(cast(:ids as bigint[])) as changed(contact_id)""")


def announce(session: Session, changes: Iterable[tuple[int, str, Sequence[str]]], now: dt.datetime) -> None:
    """Write (contact id, kind, names) rows. Kinds: see `engine.model.ChangeInbox`."""
    alike: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for contact_id, kind, names in changes:
        alike.setdefault((kind, tuple(names)), []).append(contact_id)
    announce_alike(session, alike, now)


def announce_alike(
    session: Session, alike: Mapping[tuple[str, tuple[str, ...]], Sequence[int]], now: dt.datetime
) -> None:
    """Write the contact ids under each (kind, names).

    Many contacts with the same change, as an import makes them, cost a third of what they cost row by row.
    """
    if len(alike) <= FEW:
        for (kind, same), ids in alike.items():
            values = {"kind": kind, "names": list(same), "ids": int_array(ids), "now": now}
            session.execute(ANNOUNCE, values)
        return
    rows = ((id_, kind, list(same), now) for (kind, same), ids in alike.items() for id_ in ids)
    types = ("int8", "text", "text[]", "timestamptz")
    copy_rows(session, "change_inbox(contact_id, kind, names, created_at)", types, rows)
