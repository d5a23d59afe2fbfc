"""The change inbox: the commit that changes a contact says so, for journeys and segments to look again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.db import copy_rows, int_array

NEW_CONTACT = "created_at"  # among the names of a change: everything about the contact is new
MESSAGES_ARE_HEARD = "messages_are_heard"
"""The setting that says that some journey listens for `received`; publishing keeps it. While it is not set, as after an
upgrade, one may."""
SEGMENTS_READ_MESSAGES = "segments_read_messages"
"""The setting that says that some segment's rule asks what people received; saving one keeps it."""
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


SETTLED = text("""
insert into change_inbox (contact_id, kind, names, created_at)
select m.contact_id, 'settled', array[m.step_id], :now
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[])) as ended(id, origin_at)
join messages m on m.id = ended.id and m.origin_at = ended.origin_at""")

SET = "coalesce((select value = 'true' from workspace_settings where name = '{}'), {})"
SEGMENTS_ASK, JOURNEYS_ASK = SET.format(SEGMENTS_READ_MESSAGES, "false"), SET.format(MESSAGES_ARE_HEARD, "true")
# What nobody asks about costs one look at the settings: the first condition knows no row, so it comes before all joins.
# For journeys it costs one probe a message for an entry that may mind.
ACCEPTED = text(f"""
insert into change_inbox (contact_id, kind, names, created_at)
select m.contact_id, 'message', array[c.slug], :now
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[])) as accepted(id, origin_at)
join messages m on m.id = accepted.id and m.origin_at = accepted.origin_at join contents c on c.id = m.content_id
where ({SEGMENTS_ASK} or {JOURNEYS_ASK})
    and ({SEGMENTS_ASK} or exists (select from enrolments e where e.contact_id = m.contact_id
                and (e.status in ('active', 'held_out') or (e.goal_at is null and e.goal_until >= :now))))""")


def announce_settled(session: Session, messages: Sequence[tuple[int, dt.datetime]], now: dt.datetime) -> None:
    """Say that the fate of messages, as (id, origin_at), is known; only of those whose entry waits for it."""
    if messages:
        ids, origins = zip(*messages, strict=True)
        session.execute(SETTLED, {"ids": literal(ids), "origins": literal(origins), "now": now})


def announce_accepted(session: Session, messages: Sequence[tuple[int, dt.datetime]], now: dt.datetime) -> None:
    """Say that messages, as (id, origin_at), were accepted, if a journey or segment asks what people received."""
    if messages:
        ids, origins = zip(*messages, strict=True)
        session.execute(ACCEPTED, {"ids": literal(ids), "origins": literal(origins), "now": now})
