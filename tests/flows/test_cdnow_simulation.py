"""The win-back journey simulated over eighteen months of real purchases, against the oracle of the real run."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.db import Database
from engine.imports.contacts import import_contacts
from engine.imports.events import import_events
from journeys.decide.split import is_held_out
from journeys.simulate import as_json
from tests.flows.cdnow import needs_purchases, purchases, win_back, write_files
from tests.flows.test_cdnow_win_back import JOURNEY, START, STOP
from workers.simulate import simulate


@needs_purchases
@pytest.mark.timeout(300)
def test_the_simulation_equals_the_oracle(database: Database, tmp_path: Path) -> None:
    lines = purchases()
    contacts, events = write_files(tmp_path, lines)
    import_contacts(database, contacts, now=START, folder=tmp_path)
    import_events(database, events, now=STOP + dt.timedelta(days=1), folder=tmp_path)
    plan, tally = simulate(database, JOURNEY, START, STOP)
    with database.transaction() as session:
        rows = session.execute(text("select id, external_id from contacts")).all()
    held_out = {name for id_, name in rows if is_held_out("cdnow-win-back", id_, plan.journey.holdout)}
    expected = win_back(lines, held_out)

    report = as_json(tally, {}, list(plan.program.steps))
    assert report["entries"] == expected.entries == len(lines)
    assert report["by_step"]["next-purchase"]["passed"] == expected.met
    assert report["by_step"]["next-purchase"]["timed_out"] == expected.timed_out
    assert report["messages"] == sum(expected.mailed.values())
    assert report["conversions"] == expected.goals
    assert tally.ended["active"] == 0
    assert sum(int(n) * count for n, count in report["messages_per_contact"].items()) == report["messages"]
    assert sum(report["by_day"].values()) == sum(report["by_hour"].values()) == report["messages"]
