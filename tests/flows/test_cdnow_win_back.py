"""A win-back journey over eighteen months of real purchases: on the virtual clock against an oracle, and simulated."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from engine import clock
from engine.content import store
from engine.db import Database
from engine.imports.contacts import import_contacts
from engine.imports.events import import_events
from engine.reports import roi
from engine.settings import settings
from journeys.publish import publish
from journeys.runtime.numbers import StepCounts, step_counts
from tests.conftest import drop, new_database
from tests.flows.cdnow import Purchase, needs_purchases, purchases, win_back, write_files
from tests.smtp import recording_server
from webapp.cli import main
from workers import sending
from workers.virtual import run_until

JOURNEY = """\
journey: cdnow-win-back
enter: {on: Order Completed, again: always}
holdout: 10%
goal: {when: did "Order Completed" since entry, within: 120 days, value: event.revenue, stay: true}
steps:
  - wait_for: did "Order Completed" since entry
    id: next-purchase
    up_to: 90 days
    timeout:
      - email: come-back
        id: mail
"""
CONTENT = """\
---
subject: We miss you
---
<mjml><mj-body><mj-section><mj-column>
<mj-text>Come back, <a href="https://shop.example/new">see what is new</a>.</mj-text>
</mj-column></mj-section></mj-body></mjml>
"""
START = dt.datetime(1997, 1, 1, tzinfo=dt.UTC)
STOP = dt.datetime(1998, 10, 1, tzinfo=dt.UTC)
HELD_OUT = text("""
select distinct c.external_id from enrolments e join contacts c on c.id = e.contact_id where e.held_out
""")
OUTCOMES = text("select outcome, count(*) from step_log group by outcome")
ACCEPTED = text("""
select c.external_id, count(*) from messages m join contacts c on c.id = m.contact_id
where m.state = 'accepted' group by 1
""")


@pytest.fixture
def database(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A workspace that commands find too."""
    made = new_database(postgres_url, "cairn_flow_")
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("CAIRN_WORKSPACE", made.workspace.removeprefix("cairn_"))
    yield made
    settings.cache_clear()
    drop(made)


@needs_purchases
@pytest.mark.timeout(900)
def test_the_run_equals_the_oracle_and_the_simulation_equals_the_run(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = purchases()
    with recording_server() as server:
        monkeypatch.setenv("CAIRN_SMTP_URL", server.url)
        settings.cache_clear()
        sending.close()
        run(database, tmp_path, lines)
        sending.close()
    settings.cache_clear()
    left = read(database)
    expected = win_back(lines, left.held_out)

    assert left.entries == expected.entries == len(lines)
    assert left.outcomes["met"] == expected.met
    assert left.outcomes["timed_out"] == expected.timed_out
    assert left.accepted == dict(expected.mailed)
    assert left.states == {"accepted"}
    assert server.accepted == Counter({f"c{c}@cdnow.example": n for c, n in expected.mailed.items()})
    assert left.journey.goals + left.journey.held_out_goals == expected.goals
    assert left.steps["mail"].sent == sum(expected.mailed.values())
    assert left.steps["next-purchase"].outcomes["met"] == expected.met
    assert left.active == 0
    customers = len({line.customer for line in lines})
    assert abs(len(left.held_out) - customers / 10) < 4 * math.sqrt(customers * 0.1 * 0.9)
    assert left.journey.holdout is not None and left.journey.holdout.contacts == len(left.held_out)
    assert left.journey.whole.lift is not None and left.journey.whole.lift.enough
    simulation_equals_the_run(database, tmp_path)


def run(database: Database, folder: Path, lines: list[Purchase]) -> None:
    """Eighteen months on the virtual clock: the journey goes live, people and purchases are imported, all is done."""
    contacts, events = write_files(folder, lines)
    with database.transaction() as session:
        clock.set_virtual(session, START)
        store.save(session, CONTENT, "come-back", "email", START)
        publish(session, JOURNEY, START, "test")
    import_contacts(database, contacts, now=START, folder=folder)
    imported = import_events(database, events, now=START, folder=folder, virtual=True, trigger=True)
    assert imported.accepted == len(lines)
    run_until(database, STOP)


@dataclass(frozen=True)
class Left:
    """What the run has left. `accepted` counts the messages of each customer, `held_out` names customers."""

    held_out: set[str]
    entries: int
    active: int
    outcomes: Counter[str]
    accepted: dict[str, int]
    states: set[str]
    steps: dict[str, StepCounts]
    journey: roi.JourneyRoi


def read(database: Database) -> Left:
    """Ledger, step log and report after the run."""
    with database.transaction() as session:
        people = session.execute(HELD_OUT).scalars()
        journey_id = session.execute(text("select id from journeys")).scalar_one()
        [journey] = roi.report(session).journeys
        return Left(
            held_out=set(people),
            entries=session.execute(text("select count(*) from enrolments")).scalar_one(),
            active=session.execute(text("select count(*) from enrolments where status = 'active'")).scalar_one(),
            outcomes=Counter(dict(session.execute(OUTCOMES).all())),
            accepted=dict(session.execute(ACCEPTED).all()),
            states=set(session.execute(text("select distinct state from messages")).scalars()),
            steps=step_counts(session, journey_id),
            journey=journey,
        )


def simulation_equals_the_run(database: Database, folder: Path) -> None:
    """`cairn journeys simulate --json` of the history that the run has left, figure by figure."""
    draft = folder / "win-back.yaml"
    draft.write_text(JOURNEY, "utf-8")
    span = ["--from", f"{START:%Y-%m-%d}", "--to", f"{STOP:%Y-%m-%d}"]
    answer = CliRunner().invoke(main, ["journeys", "simulate", str(draft), *span, "--json"], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    simulated = json.loads(answer.stdout)
    real = figures(database)
    assert {name: simulated[name] for name in real if name != "by_step"} == {
        k: v for k, v in real.items() if k != "by_step"
    }
    by_step = {
        step: {name: counts[name] for name in ("entered", "passed", "timed_out", "messages")}
        for step, counts in simulated["by_step"].items()
    }
    assert {**{name: simulated[name] for name in real}, "by_step": by_step} == real
    assert simulated["entries"] > 60_000 and by_step["mail"]["messages"] > 10_000
    assert sum(int(n) * count for n, count in simulated["messages_per_contact"].items()) == simulated["messages"]
    assert sum(simulated["by_day"].values()) == sum(simulated["by_hour"].values()) == simulated["messages"]


def figures(database: Database) -> dict[str, Any]:
    """What the run has recorded, under the names of a simulation."""
    with database.transaction() as session:

        def number(query: str) -> int:
            return int(session.execute(text(query)).scalar_one())

        log = session.execute(text("select step_id, outcome, count(*) from step_log where step_id <> '' group by 1, 2"))
        outcomes = {(step, outcome): count for step, outcome, count in log}
        arrived = "select step_id, count(distinct enrolment_id) from step_log where step_id <> '' group by 1"
        accepted = "select step_id, count(*) from messages where state = 'accepted' group by 1"
        sent = dict(session.execute(text(accepted)).all())
        ended = session.execute(text("select status, count(*) from enrolments group by 1"))
        return {
            "entries": number("select count(*) from enrolments"),
            "holdout": number("select count(*) from enrolments where held_out"),
            "messages": number("select count(*) from messages where state = 'accepted'"),
            "conversions": number("select count(*) from conversions where kind = 'goal'"),
            "ended": dict(ended.all()),
            "by_step": {
                step: {
                    "entered": count,
                    "passed": outcomes.get((step, "met"), 0) + outcomes.get((step, "queued"), 0),
                    "timed_out": outcomes.get((step, "timed_out"), 0),
                    "messages": sent.get(step, 0),
                }
                for step, count in session.execute(text(arrived)).all()
            },
        }
