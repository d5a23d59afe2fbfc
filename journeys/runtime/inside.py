"""Who is inside a journey: how many people stand at each step of each version."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

# By version first: the index of those who are active is read for these versions alone.
STANDING = text("""
select v.journey_id, v.id, v.number, v.source, e.step_id, e.count
from journey_versions v cross join lateral (
    select step_id, count(*) from enrolments where version_id = v.id and status = 'active' group by step_id) e
where v.journey_id = any(:journeys) order by v.id, e.step_id
""")


class Standing(NamedTuple):
    """A version that holds people: step id -> how many are at it. `source` is its text."""

    journey_id: int
    version_id: int
    number: int
    source: str
    steps: dict[str, int]


def standing(session: Session, journey_ids: Collection[int]) -> list[Standing]:
    """The versions of these journeys that hold people, oldest first; one statement."""
    found: dict[int, Standing] = {}
    for journey_id, version_id, number, source, step_id, count in session.execute(
        STANDING, {"journeys": list(journey_ids)}
    ):
        one = found.setdefault(version_id, Standing(journey_id, version_id, number, source, {}))
        one.steps[step_id] = count
    return list(found.values())
