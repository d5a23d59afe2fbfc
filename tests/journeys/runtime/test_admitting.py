"""`existing: true`: present members are written down at publish and enter in batches, whatever dies in between."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

from engine.contacts import merge
from journeys.runtime import admit
from tests.journeys.runtime.world import HOUR, START, World, journey
from workers import pipeline

PAUSE = "- wait: 10 days\n  id: pause"
EXISTING = "segment: gold, existing: true"
DIES_IN_THE_THIRD_BATCH = """
import itertools, os, signal, sys
from engine.db import Database
from journeys.runtime import admit
from workers import pipeline

enrol, batches = admit.enrol, itertools.count(1)

def dying(*arguments):
    made = enrol(*arguments)
    if next(batches) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return made

admit.enrol, admit.BATCH = dying, 2
pipeline.advance(Database(sys.argv[1], workspace=sys.argv[2]))
"""


def gold(world: World, count: int) -> list[int]:
    """Members of the segment `gold`, whose joining has been worked off."""
    people = [world.contact(tier="gold") for _ in range(count)]
    world.segment("gold", 'tier is "gold"')
    world.settle()
    return people


def entries(world: World) -> list[int]:
    """Contacts of all entries."""
    return [row[0] for row in world.execute("select contact_id from enrolments order by contact_id")]


def waiting(world: World) -> list[tuple[int, str | None]]:
    """(contact, error) of those who have still to enter."""
    return [tuple(row) for row in world.execute("select contact_id, error from entry_inbox order by contact_id")]


def test_publish_writes_members_down_and_enters_nobody_itself(world: World) -> None:
    people = gold(world, 3)
    done = world.publish(journey(PAUSE, enter=EXISTING))
    assert done.letting_in == 3
    assert (entries(world), waiting(world)) == ([], [(contact, None) for contact in people])
    world.settle()
    assert (entries(world), waiting(world)) == (people, [])


def test_a_worker_killed_within_a_batch_loses_nobody_and_enters_nobody_twice(world: World) -> None:
    people = gold(world, 9)
    world.publish(journey(PAUSE, enter=EXISTING + ", again: always"))
    where = [world.database.url, world.database.workspace]
    killed = subprocess.run([sys.executable, "-c", DIES_IN_THE_THIRD_BATCH, *where], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert entries(world) == people[:4]
    assert [contact for contact, _ in waiting(world)] == people[4:]
    world.settle()
    assert (entries(world), waiting(world)) == (people, [])


def test_a_paused_journey_keeps_them_waiting_until_it_goes_on(world: World) -> None:
    people = gold(world, 2)
    world.publish(journey(PAUSE, enter=EXISTING))
    world.state("j", "paused")
    world.settle()
    assert (entries(world), len(waiting(world))) == ([], 2)
    world.state("j", "live")
    world.settle()
    assert (entries(world), waiting(world)) == (people, [])


def test_who_leaves_after_publish_enters_and_who_joins_again_does_not_enter_twice(world: World) -> None:
    anna, ben = gold(world, 2)
    world.publish(journey(PAUSE, enter=EXISTING))
    for contact, tier in ((anna, "silver"), (ben, "silver"), (ben, "gold")):
        world.change(contact, tier=tier)
        while pipeline.refresh(world.database):
            pass
    assert entries(world) == [ben]
    world.settle()
    assert entries(world) == [anna, ben]


def test_they_enter_the_version_that_is_live_when_their_turn_comes(world: World) -> None:
    gold(world, 2)
    world.publish(journey(PAUSE, enter=EXISTING))
    second = world.publish(journey("- wait: 3 days\n  id: pause", enter=EXISTING))
    assert second.letting_in == 0
    world.settle()
    assert [row[0] for row in world.execute("select version_id from enrolments")] == [second.version.id] * 2


def test_one_who_cannot_enter_is_set_aside_with_the_error_and_stops_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, ben, carl = gold(world, 3)
    world.publish(journey(PAUSE, enter=EXISTING))
    original = admit.enrol

    def poisoned(*arguments: Any) -> list[int]:
        if any(trigger.contact_id == ben for triggers in arguments[2].values() for trigger in triggers):
            raise ValueError("ben is broken")
        return original(*arguments)

    monkeypatch.setattr(admit, "enrol", poisoned)
    world.settle()
    assert entries(world) == [anna, carl]
    assert waiting(world) == [(ben, "ValueError: ben is broken")]


def test_two_records_that_become_one_enter_once(world: World) -> None:
    anna, ben, carl = gold(world, 3)
    dora = world.contact()
    world.publish(journey(PAUSE, enter=EXISTING))
    with world.database.transaction() as session:
        merge.merge(session, [(ben, anna), (carl, dora)], START + HOUR)
    world.settle()
    assert entries(world) == [anna, dora]
