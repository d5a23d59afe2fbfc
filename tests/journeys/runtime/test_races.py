"""What happens between two transactions, on real connections."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import text

from engine import clock
from engine.db import Database, driver
from engine.events.record import NewEvent, record
from journeys.runtime import advance as advancing
from journeys.runtime import catalogue as catalogues
from journeys.runtime import match as matching
from journeys.runtime import turn
from tests.journeys.runtime.world import DAY, HOUR, START, World, journey
from workers import pipeline

PATIENCE = 30.0
BLOCKED = 0.5  # seconds after which a thread that has not ended is taken to wait for a lock
PAID = '- wait_for: did "Paid"\n  id: answer\n  up_to: 3 days'
MET = ["answer:met", "completed"]


class Thread(threading.Thread):
    """A thread whose error is raised where it is joined."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.work, self.result, self.error = work, None, None
        self.start()

    def run(self) -> None:
        try:
            self.result = self.work()
        except BaseException as error:
            self.error = error

    def finish(self) -> object:
        self.join(PATIENCE)
        assert not self.is_alive(), "still waiting"
        if self.error is not None:
            raise self.error
        return self.result


def wait_for_a_lock(database: Database) -> None:
    """Until somebody waits for what this thread's transaction holds."""
    waits = text(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with database.transaction() as session:
            if session.execute(waits).scalar():
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def between(monkeypatch: pytest.MonkeyPatch, name: str, before: Callable[[], object]) -> None:
    """Do something, once, right before `journeys.runtime.advance` calls its function `name`."""
    original, pending = getattr(advancing, name), [before]

    def wrapped(*arguments: object) -> object:
        while pending:
            pending.pop()()
        return original(*arguments)

    monkeypatch.setattr(advancing, name, wrapped)


def test_an_event_that_commits_between_claim_and_read_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish(journey(PAID))
    anna = world.contact()
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    between(monkeypatch, "run", lambda: world.event(anna, "Paid"))
    pipeline.advance(world.database)
    world.settle()
    assert world.path(anna) == ["entered", *MET]


def test_an_event_that_comes_between_read_and_write_waits_and_then_meets(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish(journey(PAID))
    anna = world.contact()
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    threads: list[Thread] = []

    def arrive() -> None:
        world.event(anna, "Paid")
        threads.append(Thread(lambda: pipeline.match(world.database)))
        threads[0].join(BLOCKED)
        assert threads[0].is_alive(), "the match must wait for the entry's lock"

    between(monkeypatch, "write", arrive)
    pipeline.advance(world.database)
    threads[0].finish()
    assert world.path(anna) == ["entered", "answer:waiting", *MET]


def test_two_matches_on_one_contact_take_turns(world: World) -> None:
    world.publish(journey(PAID, enter="on: Paid, again: always"))
    anna = world.contact()
    for _ in range(2):
        world.event(anna, "Paid")
    with world.database.transaction() as session:
        assert world.match(session, limit=1) == 1
        assert pipeline.match(world.database) == 0, "whose turn it is not leaves the rest and goes on"
    world.settle()
    assert world.statuses(anna) == ["completed", "active"]


def test_a_goal_hears_what_happened_while_somebody_else_began_the_entry(world: World) -> None:
    """Else the event finds no open entry, because that is not committed, and is put away."""
    world.segment("gold", 'tier is "gold"')
    world.publish(journey("- wait: 10 days\n  id: rest", 'goal: {when: did "Paid", value: 2}\n', enter="segment: gold"))
    anna = world.contact(tier="gold")
    pipeline.refresh(world.database)  # anna joins
    with world.database.transaction() as session:
        assert matching.match_changes(session, catalogues.load(session), clock.now) == 1
        world.event(anna, "Paid")
        pipeline.match(world.database)
    world.settle()
    assert world.goals() == [(anna, 2.0)]


def test_nobody_waits_for_the_turn_but_who_publishes(world: World) -> None:
    world.segment("gold", 'tier is "gold"')
    world.contact(tier="gold")
    world.settle()
    world.publish(journey("- wait: 1 day\n  id: rest", enter="segment: gold, existing: true"))
    anna = world.contact(tier="gold")
    world.event(anna, "Paid")
    works = (pipeline.match, pipeline.refresh, pipeline.advance)
    with world.database.transaction() as session:
        turn.take(session)
        assert [work(world.database) for work in works] == [0, 0, 0]
        publisher = Thread(lambda: world.publish(journey("- wait: 2 days\n  id: rest", enter="segment: gold")))
        publisher.join(BLOCKED)
        assert publisher.is_alive()
    publisher.finish()
    world.settle()
    assert world.execute("select count(*) from enrolments where status = 'active'") == [(2,)]


def test_two_advances_share_the_work_and_nobody_moves_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.publish(journey("- wait: 1 hour\n  id: pause\n- email: hello\n  id: mail\n- wait: 1 day\n  id: rest"))
    people = [world.contact() for _ in range(60)]
    for contact in people:
        world.event(contact, "Signed Up")
    world.settle()
    world.jump(HOUR)
    monkeypatch.setattr(advancing, "BATCH", 2)
    gate = threading.Barrier(2)

    def work() -> int:
        gate.wait()
        return pipeline.advance(world.database)

    shares = [thread.finish() for thread in [Thread(work), Thread(work)]]
    assert sum(shares) == 60 and min(shares) > 0, shares
    assert all(
        world.path(contact)[1:] == ["pause:waiting", "pause:passed", "mail:queued", "rest:waiting"]
        for contact in people
    )


SET = "- set: {a: 1}\n  id: first\n" + PAID + "\n- set: {b: 2}\n  id: last"


def test_a_match_waits_for_an_advance_that_writes_to_its_contact(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The advance holds entry and contact, the match wants the contact first: nobody waits crosswise."""
    world.publish(journey(SET))
    anna = world.contact()
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    threads: list[Thread] = []

    def arrive() -> None:
        world.event(anna, "Paid")
        threads.append(Thread(lambda: pipeline.match(world.database)))
        threads[0].join(BLOCKED)
        assert threads[0].is_alive()

    between(monkeypatch, "run", arrive)
    pipeline.advance(world.database)
    threads[0].finish()
    assert world.path(anna) == ["entered", "first:passed", *MET[:1], "last:passed", "completed"]


def test_an_advance_passes_over_contacts_that_a_match_holds(world: World) -> None:
    world.publish(journey(SET))
    anna, ben = world.contact(), world.contact()
    for contact in (anna, ben):
        world.event(contact, "Signed Up")
    pipeline.match(world.database)
    with world.database.transaction() as session:
        driver(session).execute(matching.LOCK_CONTACTS, ([anna],))
        assert pipeline.advance(world.database) == 1
    world.settle()
    assert world.path(anna) == world.path(ben) == ["entered", "first:passed", "answer:waiting"]


def test_an_event_that_concerns_nobody_locks_nobody(world: World) -> None:
    world.publish(journey('- wait_for: did "Paid" where (amount > 5)\n  id: answer\n  up_to: 3 days'))
    anna, ben = world.contact(), world.contact()
    world.event(anna, "Signed Up")
    world.settle()
    world.event(anna, "Noise")
    world.event(anna, "Paid", amount=5)
    world.event(ben, "Paid", amount=6)
    with world.database.transaction() as session:
        assert world.match(session) == 3
        free = world.execute("select id from contacts for update skip locked")
        assert [id_ for (id_,) in free] == [anna, ben]
        assert len(world.execute("select id from enrolments for update skip locked")) == 1


@pytest.mark.parametrize("slugs", ["j", "jk"], ids=["one journey", "two journeys"])
def test_workers_on_the_same_contacts_get_on_together(
    world: World, monkeypatch: pytest.MonkeyPatch, slugs: str
) -> None:
    for slug in slugs:
        world.publish(journey(SET, slug=slug, enter="on: Signed Up, again: always"))
    people = [world.contact() for _ in range(8)]
    monkeypatch.setattr(advancing, "BATCH", 5)
    monkeypatch.setattr(matching, "BATCH", 5)
    for number in range(3):
        with world.database.transaction() as session:
            now = clock.now(session)
            names = ("Signed Up", "Tick", "Paid")
            events = [NewEvent(one, name, now, f"{number}-{name}-{one}") for name in names for one in people]
            record(session, events, now)
        works = [pipeline.match, pipeline.match, pipeline.advance, pipeline.advance, pipeline.refresh]
        for thread in [Thread(lambda work=work: work(world.database)) for work in works]:
            thread.finish()
        world.live(HOUR)
    world.live(4 * DAY)
    assert {status for contact in people for status in world.statuses(contact)} == {"completed"}
    assert world.log()["entered"] >= 8 * len(slugs)


def test_a_catalogue_of_before_a_publish_finds_the_new_version(world: World) -> None:
    world.publish(journey(PAID))
    with world.database.transaction() as session:
        old = catalogues.load(session)
    world.publish(journey("- wait: 1 day\n  id: pause"))
    anna = world.contact()
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    world.event(anna, "Paid")
    with world.database.transaction() as session:
        assert matching.match_events(session, old, clock.now) == 1
    world.live(2 * DAY)
    assert world.path(anna) == ["entered", "pause:waiting", "pause:passed", "completed"]


def test_an_event_taken_with_a_catalogue_from_before_the_publish_enters(world: World) -> None:
    with world.database.transaction() as session:
        catalogue = catalogues.load(session)
    world.publish(journey("- wait: 1 day\n  id: rest"))
    anna = world.contact()
    world.event(anna, "Signed Up")
    with world.database.transaction() as session:
        assert matching.match_events(session, catalogue, clock.now) == 1
    assert world.statuses(anna) == ["active"]


def test_a_change_taken_with_a_catalogue_from_before_the_publish_enters(world: World) -> None:
    world.segment("gold", 'tier is "gold"')
    with world.database.transaction() as session:
        catalogue = catalogues.load(session)
    world.publish(journey("- wait: 1 day\n  id: rest", enter="segment: gold"))
    anna = world.contact(tier="gold")
    pipeline.refresh(world.database)  # anna joins
    with world.database.transaction() as session:
        assert matching.match_changes(session, catalogue, clock.now) == 1
    assert world.statuses(anna) == ["active"]


def test_a_busy_contact_is_applied_in_order_over_several_transactions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "ROUNDS", 5)
    world.publish(journey("- wait: 1 day\n  id: rest", enter="on: Tick, again: per event.number"))
    anna, ben = world.contact(), world.contact()
    for number in range(1, 13):  # the last one arrives first
        world.event(anna, "Tick", at=START - number * HOUR, number=str(number))
    world.event(ben, "Tick", number="1")
    with pytest.raises(matching.Crowded), world.database.transaction() as session:
        world.match(session)
    assert pipeline.match(world.database) == 13
    rows = world.execute("select entry_key, xmin::text from enrolments where contact_id = :id order by id", id=anna)
    assert [int(key) for key, _ in rows] == list(range(12, 0, -1))
    assert max(Counter(transaction for _, transaction in rows).values()) <= 5
    assert world.statuses(ben) == ["active"]
