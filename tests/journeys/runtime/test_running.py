"""Branches, splits, attributes, limits, poison, and the rows that a run leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from engine import partitions
from journeys.decide import decide
from journeys.language.parse import parse
from journeys.language.program import program
from journeys.language.steps import Step
from journeys.runtime.entry import Entry
from journeys.runtime.numbers import step_counts
from journeys.runtime.run import MOST_STEPS, Ended, move
from tests.journeys.runtime.world import DAY, HOUR, START, World, journey
from workers import pipeline

REST = "- wait: 10 days\n  id: rest"


def enter(world: World, *contact_ids: int, **properties: object) -> None:
    for contact_id in contact_ids:
        world.event(contact_id, "Signed Up", **properties)
    world.settle()


def test_a_branch_reads_the_contact_the_event_and_what_it_did(world: World) -> None:
    steps = """\
    - branch: kind
      id: kind
      paths:
        - when: event.plan is "pro"
          do: [{set: {way: pro}, id: pro}]
        - when: seats > 5
          do: [{set: {way: big}, id: big}]
        - when: did "Paid" ever
          do: [{set: {way: paid}, id: paid}]
        - else:
          do: [{exit: nothing known, id: out}]
    """
    world.publish(journey(steps))
    anna, ben, carl, dora = world.contact(), world.contact(seats=9), world.contact(), world.contact()
    world.event(carl, "Paid")
    enter(world, anna, plan="pro")
    enter(world, ben, carl, dora)
    taken = [world.path(contact)[2:] for contact in (anna, ben, carl, dora)]
    assert taken == [
        ["pro:passed", "completed"],
        ["big:passed", "completed"],
        ["paid:passed", "completed"],
        ["out:exited", "exited"],
    ]


def test_set_is_seen_by_later_steps_of_the_run_and_by_other_journeys(world: World) -> None:
    steps = """\
    - set: {plan: pro, company.seats: 20, trial: null}
      id: mark
    - branch: seen
      id: seen
      paths:
        - when: plan is "pro" and company.seats = 20 and trial is not set
          do: [{set: {seen: true}, id: yes}]
    """
    world.publish(journey(steps))
    world.publish(journey("- wait_for: seen is true\n  id: heard\n  up_to: 3 days", slug="other"))
    anna = world.contact(trial=True, company={"name": "Acme", "seats": 3})
    enter(world, anna)
    assert "yes:passed" in world.path(anna) and "heard:met" in world.path(anna)
    [(attributes,)] = world.execute("select attributes from contacts")
    assert attributes == {"plan": "pro", "company": {"name": "Acme", "seats": 20}, "seen": True}


def test_set_of_what_is_so_already_wakes_nobody(world: World) -> None:
    world.publish(journey("- set: {plan: pro}\n  id: mark"))
    anna = world.contact(plan="pro")
    world.settle()
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    assert world.statuses(anna) == ["completed"]
    assert world.execute("select * from change_inbox") == []


def test_a_split_stores_its_arm_and_counts_entries_and_goals_by_it(world: World) -> None:
    steps = """\
    - split: story
      id: story
      paths:
        - share: 50%
          name: long
          do: [{set: {seen: 1}, id: on-long}]
        - share: 50%
          name: short
          do: [{set: {seen: 2}, id: on-short}]
    - wait: 10 days
      id: rest
    """
    world.publish(journey(steps, 'goal: {when: did "Paid", value: 3}\n'))
    people = [world.contact() for _ in range(30)]
    enter(world, *people)
    world.live(HOUR)
    for contact in people[:10]:
        world.event(contact, "Paid")
    world.settle()
    arms = dict(tuple(row) for row in world.execute("select contact_id, arms ->> 'story' from enrolments"))
    for contact, arm in arms.items():
        assert f"on-{arm}:passed" in world.path(contact)
    rows = world.execute(
        "select arm, sum(entries)::int, sum(goals)::int, sum(value)::int from entry_rollups "
        "where split_id = 'story' group by arm order by arm"
    )
    expected = []
    for arm in ("long", "short"):
        paid = sum(arms[contact] == arm for contact in people[:10])
        expected.append((arm, list(arms.values()).count(arm), paid, 3 * paid))
    assert [tuple(row) for row in rows] == expected


def test_an_entry_that_takes_a_thousand_steps_fails_and_says_why() -> None:
    chain = "\n".join(f"- set: {{n: {n}}}\n  id: s{n}" for n in range(MOST_STEPS))
    laid = program(parse(journey(chain)))

    def entry(id_: int, taken: int) -> Entry:
        return Entry(id_, id_, "s0", "ready", None, START, START, taken, True, 1, None)

    moves = move(laid, [entry(1, 0), entry(2, 1)], START, lambda *_: None, lambda *_: None)
    ended = {row.id: party.stays for party in moves for row in party.rows}
    assert ended[1] == Ended("completed", "s999")
    assert ended[2] == Ended("failed", "took 1000 steps in one entry")


def test_rows_that_go_the_same_way_are_one_party_and_all_others_keep_apart() -> None:
    steps = """\
    - branch: kind
      id: kind
      paths:
        - when: plan is "pro"
          do: [{set: {way: pro}, id: pro}]
    - wait: 1 day
      id: rest
    """
    laid = program(parse(journey(steps)))

    def answer(step_id: str, _: Step, rows: Sequence[Entry]) -> None:
        for row in rows:
            row.truths = (row.id % 2 == 0,) if step_id == "kind" else ()

    rows = [Entry(n, n, "kind", "ready", None, None, START, 0, True, 1, None) for n in range(6)]
    rows.append(Entry(6, 6, "rest", "waiting", START + DAY, START, START, 1, True, 1, None))
    found = {
        tuple(row.id for row in party.rows): ([passage.step_id for passage in party.log], party.taken, party.arrived)
        for party in move(laid, rows, START, answer, lambda *_: None)
    }
    assert found == {
        (0, 2, 4): (["kind", "pro", "rest"], 2, True),
        (1, 3, 5): (["kind", "rest"], 1, True),
        (6,): ([], 0, False),
    }


def test_the_same_rows_give_the_same_moves() -> None:
    """Decisions are pure, so a simulator may replay them."""
    laid = program(parse(journey("- set: {a: 1}\n  id: one\n- wait: 1 day\n  id: two")))
    step = laid.steps["two"]
    rows = [Entry(n, n, "two", "ready", None, START, START, 0, True, 1, None) for n in range(3)]
    assert decide(laid, step, rows, START) == decide(laid, step, rows, START)


def test_a_message_exists_once_per_entry_step_and_visit(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail\n" + REST))
    anna = world.contact()
    enter(world, anna)
    again = """
        insert into messages (origin_at, enrolment_id, step_id, visit, contact_id, content_id, channel, queued_at,
            send_after)
        select origin_at, enrolment_id, step_id, visit, contact_id, content_id, channel, queued_at, send_after
        from messages
    """
    with pytest.raises(IntegrityError):
        world.execute(again)


def test_an_entry_sends_again_when_it_is_a_new_one(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail", enter="on: Signed Up, again: always"))
    anna = world.contact()
    for _ in range(3):
        enter(world, anna)
        world.live(DAY)
    assert world.messages(anna) == [("mail", "accepted")] * 3
    assert world.receiver.accepted["u1@x.example"] >= 3


def test_rows_go_to_partitions_that_the_run_makes(world: World) -> None:
    world.publish(journey("- wait: 2 years\n  id: long\n- email: hello\n  id: mail"))
    anna = world.contact()
    enter(world, anna)
    world.live(dt.timedelta(days=731))
    assert world.messages(anna) == [("mail", "accepted")]


def test_step_counts_say_where_people_are_and_what_they_did(world: World) -> None:
    world.publish(journey("- email: hello\n  id: mail\n- wait: 1 day\n  id: rest"))
    people = [world.contact() for _ in range(3)]
    enter(world, *people)
    world.live(DAY)
    enter(world, world.contact())
    with world.database.transaction() as session:
        counts = step_counts(session, 1)
    assert counts["mail"].outcomes == {"queued": 4} and counts["mail"].sent == 4
    assert (counts["rest"].waiting, counts["rest"].reached) == (1, 4)
    assert counts[""].outcomes == {"entered": 4, "completed": 3}


# Poison ---------------------------------------------------------------------------------------------------------------

POISON = """
create function refuse() returns trigger language plpgsql as $$
begin
    if new.contact_id = %d then raise exception 'poison'; end if;
    return new;
end $$;
create trigger refuse before insert on %s for each row execute function refuse();
"""


def poison(world: World, table: str, contact_id: int) -> None:
    """From now on the database refuses rows of this contact."""
    with world.database.transaction() as session:
        partitions.ensure(session, "step_log", [START])
        session.execute(text(POISON % (contact_id, table)))


def test_a_poison_event_is_set_aside_with_its_error_and_the_rest_goes_on(world: World) -> None:
    world.publish(journey(REST))
    people = [world.contact() for _ in range(5)]
    poison(world, "enrolments", people[2])
    for contact in people:
        world.event(contact, "Signed Up")
    pipeline.match(world.database)
    assert [len(world.statuses(contact)) for contact in people] == [1, 1, 0, 1, 1]
    [(contact_id, error)] = world.execute("select contact_id, error from event_inbox")
    assert contact_id == people[2] and "poison" in error
    assert pipeline.match(world.database) == 0


def test_a_poison_entry_fails_with_its_error_and_the_rest_goes_on(world: World) -> None:
    """All wake at the same instant: the one set aside must be the one that failed."""
    world.publish(journey("- wait: 1 day\n  id: pause\n- set: {seen: true}\n  id: mark"))
    people = [world.contact() for _ in range(5)]
    enter(world, *people)
    poison(world, "step_log", people[2])
    world.jump(DAY)
    pipeline.advance(world.database)
    statuses = [world.statuses(contact) for contact in people]
    assert statuses == [["completed"], ["completed"], ["failed"], ["completed"], ["completed"]]
    [(reason,)] = world.execute("select reason from enrolments where status = 'failed'")
    assert "poison" in reason
    assert pipeline.advance(world.database) == 0


def test_a_poison_change_is_set_aside_and_the_rest_goes_on(world: World) -> None:
    world.publish(journey(REST, 'exit: plan is "pro"\n'))
    people = [world.contact() for _ in range(3)]
    enter(world, *people)
    poison(world, "step_log", people[1])
    for contact in people:
        world.change(contact, plan="pro")
    pipeline.refresh(world.database)
    assert [world.statuses(contact) for contact in people] == [["exited"], ["active"], ["exited"]]


def test_under_a_cap_the_first_message_of_a_run_goes(world: World) -> None:
    steps = "".join(f"- email: m{n}\n  id: s{n}\n" for n in range(6))
    world.publish(journey(steps, frame="send: {cap: 1 per day}\n"))
    people = [world.contact() for _ in range(5)]
    enter(world, *people)
    for contact in people:
        assert world.messages(contact) == [("s0", "accepted"), *((f"s{n}", "suppressed") for n in range(1, 6))]
