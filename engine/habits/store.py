"""Counts of the hours at which contacts open and click, kept in the commits that classify their hits.

A message counts once in the hour of its first open by a person, and once more in that of the first click if it is
another hour: what somebody clicks at one sitting is one habit. Hits of machines never come here.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.habits.estimate import Everybody, Profile, slot_of
from engine.zones import zones_of

EVERYBODY = 0
"""The contact under whom all are counted together."""

ZONES = text("""
select id, timezone from contacts where id = any(cast(:ids as bigint[])) and erased_at is null
""")
# In the order of the key, so that two writers never wait crosswise.
ADD = text("""
insert into contact_hours as h (contact_id, slot, messages)
select * from unnest(cast(:ids as bigint[]), cast(:slots as smallint[]), cast(:numbers as integer[])) order by 1, 2
on conflict (contact_id, slot) do update set messages = h.messages + excluded.messages
""")
READ = text("""
select contact_id, array_agg(slot), array_agg(messages) from contact_hours
where contact_id = any(cast(:ids as bigint[])) group by contact_id
""")


class Moved(NamedTuple):
    """First open and first click of a message, as they were known and as they are now."""

    contact_id: int
    before: tuple[dt.datetime | None, dt.datetime | None]
    after: tuple[dt.datetime | None, dt.datetime | None]


def count(session: Session, moved: Sequence[Moved], zone: ZoneInfo) -> None:
    """Add what has become known, in each contact's own zone, else in the workspace's; take off what was a machine's.

    Of who is erased nothing is kept.
    """
    if not moved:
        return
    rows = session.execute(ZONES, {"ids": literal({one.contact_id for one in moved})})
    zones = {id_: zones_of(name, None, zone)[0] for id_, name in rows}
    found: Counter[tuple[int, int]] = Counter()
    for one in moved:
        if (local := zones.get(one.contact_id)) is None:
            continue
        for sign, instants in ((1, one.after), (-1, one.before)):
            for slot in {slot_of(at, local) for at in instants if at is not None}:
                found[one.contact_id, slot] += sign
                found[EVERYBODY, slot] += sign
    if changed := [(key, number) for key, number in found.items() if number]:
        values = {
            "ids": literal([id_ for (id_, _), _ in changed]),
            "slots": literal([slot for (_, slot), _ in changed]),
            "numbers": literal([number for _, number in changed]),
        }
        session.execute(ADD, values)


def read(session: Session, ids: Collection[int]) -> tuple[dict[int, Profile], Everybody]:
    """Profiles of those of these contacts who have any, and everybody's; one statement."""
    counts = counts_of(session, ids)
    everybody = Everybody(counts.pop(EVERYBODY, {}))
    return {id_: Profile(of) for id_, of in counts.items()}, everybody


def counts_of(session: Session, ids: Collection[int]) -> dict[int, Mapping[int, int]]:
    """By contact, and for EVERYBODY, the messages by slot."""
    rows = session.execute(READ, {"ids": literal([EVERYBODY, *ids])})
    return {id_: kept(slots, numbers) for id_, slots, numbers in rows}


def kept(slots: Sequence[int], numbers: Sequence[int]) -> Mapping[int, int]:
    """Counts by slot. A contact whose zone has changed since may have one below zero, which counts as none."""
    return {slot: number for slot, number in zip(slots, numbers, strict=True) if number > 0}


def zone_of(session: Session, contact_id: int, workspace: ZoneInfo) -> ZoneInfo:
    """The zone in which the hours of a contact count; EVERYBODY's is the workspace's."""
    rows = session.execute(ZONES, {"ids": literal([contact_id])}).all()
    return zones_of(rows[0][1], None, workspace)[0] if rows else workspace
