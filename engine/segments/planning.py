"""How statements about many contacts are planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session

ALL: Mapping[str, str] = {"enable_nestloop": "off", "work_mem": "64MB", "plan_cache_mode": "force_custom_plan"}
"""For all contacts: sets of unknown size are hashed, in memory (a million ids fit), and the plan knows `now`, so that
it leaves out partitions."""

SOME: Mapping[str, str] = {"max_parallel_workers_per_gather": "0"}
"""For those that changed: workers would start for longer than they work."""

TOGETHER: Mapping[str, str] = {**SOME, "enable_nestloop": "off"}
"""For those that changed where their events are read in one scan: the planner does not see how many they are, would
take them for ten, and go through all that is found for each."""

CHANGE = text("""
select name, current_setting(name), set_config(name, value, true)
from unnest(cast(:names as text[]), cast(:values as text[])) as wanted(name, value)""")


@contextmanager
def planned(session: Session, settings: Mapping[str, str]) -> Iterator[None]:
    """Settings of the planner for the statements of the block."""
    before = _change(session, settings)
    yield
    _change(session, before)


def _change(session: Session, settings: Mapping[str, str]) -> dict[str, str]:
    rows = session.execute(CHANGE, {"names": list(settings), "values": list(settings.values())})
    return {name: before for name, before, _ in rows}
