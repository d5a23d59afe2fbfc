"""Batches are an optimisation: whatever their size, the same people end in the same places."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest

from engine.db import Database
from engine.settings import settings
from journeys.runtime import advance as advancing
from journeys.runtime import match as matching
from tests.conftest import drop, new_database
from tests.journeys.runtime.world import World, journey
from tests.ledger import assert_counters_equal_ledger
from tests.smtp import Receiver
from workers import sending

STEPS = """\
- split: story
  id: story
  paths:
    - share: 50%
      name: long
      do: [{email: hello, id: long}]
    - share: 50%
      name: short
      do: []
- wait_for:
  id: answer
  up_to: 2 days
  any:
    - when: did "Order Completed"
      do: [{set: {customer: true}, id: mark}]
    - when: did "Cart" without "Order Completed" within 3 hours
      do: [{email: cart, id: cart, quiet: 21:00-08:00 contact}]
  timeout: [{email: nudge, id: nudge, if: customer is not true}]
- branch: kind
  id: kind
  paths:
    - when: tier is "gold"
      do: [{wait: 1 day, id: rest}]
"""
FRAME = """\
holdout: 20%
goal: {when: did "Order Completed", value: event.revenue, within: 5 days, stay: true}
exit: did "Left"
"""
NAMES = ("Signed Up", "Signed Up", "Cart", "Order Completed", "Left", "Noise")


def history(world: World, seed: int) -> None:
    """Three weeks of a dozen people, the same for the same seed."""
    rng = random.Random(seed)
    people = [
        world.contact(tier=rng.choice(("gold", "blue")), timezone=rng.choice(("Europe/Berlin", "America/New_York")))
        for _ in range(12)
    ]
    world.publish(journey(STEPS, FRAME, enter="on: Signed Up, again: always"))
    for _ in range(14):
        world.live(dt.timedelta(hours=rng.choice((1, 5, 20, 40))))
        for _ in range(rng.randint(1, 16)):
            world.event(rng.choice(people), rng.choice(NAMES), revenue=rng.randint(1, 90))
        if rng.random() < 0.5:
            world.change(rng.choice(people), tier=rng.choice(("gold", "blue")))
    world.live(dt.timedelta(days=10))


def outcome(database: Database, receiver: Receiver, seed: int) -> dict[str, list[Any]]:
    """The ledger of such a history, without ids that depend on the order of work."""
    world = World(database, receiver)
    history(world, seed)
    with database.transaction() as session:
        assert_counters_equal_ledger(session)
    return {
        "entries": world.execute(
            "select contact_id, entry_key, status, step_id, entered_at, ended_at, goal_at, held_out, first_entry, arms "
            "from enrolments order by 1, 2"
        ),
        "log": world.execute(
            "select l.contact_id, e.entry_key, l.step_id, l.outcome, l.at, l.detail from step_log l "
            "join enrolments e on e.id = l.enrolment_id order by 1, 5, 2, l.id"
        ),
        "messages": world.execute(
            "select m.contact_id, e.entry_key, m.step_id, m.state, m.accepted_at from messages m "
            "join enrolments e on e.id = m.enrolment_id order by 1, 2, 3"
        ),
        "conversions": world.execute(
            "select kind, contact_id, event_message_id, value, occurred_at from conversions order by 1, 2, 3"
        ),
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_one_by_one_and_all_together_give_the_same_ledger(
    postgres_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setenv("CAIRN_SMTP_URL", receiver.url)
    settings.cache_clear()
    found = []
    for limit in (1, 2000):
        monkeypatch.setattr(matching, "BATCH", limit)
        monkeypatch.setattr(advancing, "BATCH", limit)
        database = new_database(postgres_url)
        found.append(outcome(database, receiver, seed))
        sending.close()
        drop(database)
    settings.cache_clear()
    single, together = found
    assert len(together["log"]) > 100
    for part in together:
        assert single[part] == together[part]
