"""Exit rules at the send gate: a message that waits is cancelled when its journey would have let the contact go."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from journeys.runtime import ask
from journeys.runtime import catalogue as catalogues
from journeys.runtime.leave import exits

# An `exit` step is a way to the end like any other: what was queued on that way is still sent. Of most entries there is
# nothing to tell; who was carried to another version since their message was queued is held against that one.
TOLD = text("""
select id, version_id, goal_at is not null,
    status in ('converted', 'stopped', 'failed') or (status = 'exited' and reason like 'exit: %')
from enrolments where id = any(cast(:ids as bigint[])) and (version_id <> :version_id or goal_at is not null
    or status in ('converted', 'stopped', 'failed') or (status = 'exited' and reason like 'exit: %'))
""")


class Candidate(Protocol):
    """A claimed message, as far as this module looks at it."""

    @property
    def id(self) -> int: ...
    @property
    def contact_id(self) -> int: ...
    @property
    def enrolment_id(self) -> int | None: ...
    @property
    def version_id(self) -> int | None: ...


def exit_check(session: Session, candidates: Sequence[Candidate], now: dt.datetime) -> set[int]:
    """Ids of messages whose journey's exit rule holds at `now`; their entries are ended in the same commit.

    A message that came back to the queue after its entry was left (its first try had begun before) is among them. The
    rules are those of the version that the entry is at now.
    """
    of_version: dict[int, list[Candidate]] = defaultdict(list)
    for one in candidates:
        if one.version_id is not None and one.enrolment_id is not None:
            of_version[one.version_id].append(one)
    if not of_version:
        return set()
    gone: set[int] = set()
    met: list[tuple[int, int]] = []
    for version_id, messages in list(of_version.items()):
        known = {"ids": literal([one.enrolment_id for one in messages]), "version_id": version_id}
        told = {row[0]: row for row in session.execute(TOLD, known)}
        gone |= {id_ for id_, _, _, left in told.values() if left}
        met += [(id_, version) for id_, version, goal, _ in told.values() if goal]
        if any(version != version_id for _, version, _, _ in told.values()):
            of_version[version_id] = []
            for one in messages:
                of_version[told[one.enrolment_id][1] if one.enrolment_id in told else version_id].append(one)
    ways = _ways(session, of_version)
    gone |= {id_ for id_, version_id in met if not ways[version_id].stay}
    ruled = {version_id: messages for version_id, messages in of_version.items() if messages and ways[version_id].exits}
    if ruled:
        gone |= _exits(session, ruled, now)
    return {one.id for one in candidates if one.enrolment_id in gone}


def _exits(session: Session, of_version: Mapping[int, Sequence[Candidate]], now: dt.datetime) -> set[int]:
    catalogue = catalogues.load(session)
    asked = {
        catalogue.version(session, version_id): [
            ask.Question(one.enrolment_id, one.contact_id, now, now) for one in messages if one.enrolment_id is not None
        ]
        for version_id, messages in of_version.items()
    }
    return exits(session, catalogue, asked, now)


class Ways(NamedTuple):
    """Of a version: whether it has exit rules, and whether people stay when they meet its goal."""

    exits: bool
    stay: bool


_known: WeakKeyDictionary[Any, dict[int, Ways]] = WeakKeyDictionary()


def _ways(session: Session, version_ids: Collection[int]) -> Mapping[int, Ways]:
    """Versions never change, so what most claims need of them is kept for the life of the process."""
    known = _known.setdefault(session.get_bind(), {})
    if not known.keys() >= set(version_ids):
        catalogue = catalogues.load(session)
        for version_id in version_ids:
            journey = catalogue.version(session, version_id).program.journey
            known[version_id] = Ways(bool(journey.exits), journey.goal is None or journey.goal.stay)
    return known
