"""Exit rules at the send gate: a message that waits is cancelled when its journey would have let the contact go."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from journeys.runtime import ask
from journeys.runtime import catalogue as catalogues
from journeys.runtime.catalogue import Version
from journeys.runtime.leave import exits

# An `exit` step is a way to the end like any other: what was queued on that way is still sent.
LEFT = text("""
select id from enrolments where id = any(:ids) and (status in ('converted', 'stopped', 'failed')
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
    catalogue = catalogues.load(session)
    asked: dict[Version, list[ask.Question]] = {}
    gone: set[int] = set()
    for version_id, messages in of_version.items():
        version = catalogue.version(session, version_id)
        asked[version] = [
            ask.Question(one.enrolment_id, one.contact_id, now, now) for one in messages if one.enrolment_id is not None
        ]
        goal = version.program.journey.goal
        known = {"ids": [one.id for one in asked[version]], "stay": goal is None or goal.stay}
        gone |= set(session.execute(LEFT, known).scalars())
    gone |= exits(session, catalogue, asked, now)
    return {one.id for messages in of_version.values() for one in messages if one.enrolment_id in gone}
