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

# An `exit` step is a way to the end like any other: what was queued on that way is still sent.
LEFT = text("""
select id from enrolments where id = any(cast(:ids as bigint[])) and (status in ('converted', 'stopped', 'failed')
    or (status = 'exited' and reason like 'exit: %') or (goal_at is not null and not :stay))
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

    A message that came back to the queue after its entry was left (its first try had begun before) is among them.
    """
    of_version: dict[int, list[Candidate]] = defaultdict(list)
    for one in candidates:
        if one.version_id is not None and one.enrolment_id is not None:
            of_version[one.version_id].append(one)
    if not of_version:
        return set()
    ways = _ways(session, of_version)
    gone: set[int] = set()
    for version_id, messages in of_version.items():
        known = {"ids": literal([one.enrolment_id for one in messages]), "stay": ways[version_id].stay}
        gone |= set(session.execute(LEFT, known).scalars())
    ruled = [version_id for version_id in of_version if ways[version_id].exits]
    if ruled:
        gone |= _exits(session, {version_id: of_version[version_id] for version_id in ruled}, now)
    return {one.id for messages in of_version.values() for one in messages if one.enrolment_id in gone}


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
