"""Publishing an edited journey over the people who are in it: each choice, renames, and several older versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import text

from engine.contacts.identify import set_attributes
from engine.errors import Conflict, InvalidInput
from journeys.publish import Published, publish, rollback
from journeys.runtime import carry as carrying
from journeys.runtime import catalogue as catalogues
from journeys.runtime.advance import advance
from tests.journeys.runtime.test_races import Thread, wait_for_a_lock
from tests.journeys.runtime.world import DAY, HOUR, START, World, journey
from workers import pipeline, sending

WAIT = "- email: hello\n  id: hello\n- wait: 3 days\n  id: pause\n- email: last\n  id: last"


def started(world: World, steps: str, frame: str = "", count: int = 1, **values: str) -> list[int]:
    """People who entered a fresh journey and did what they could at once."""
    world.publish(journey(steps, frame))
    people = [world.contact(**values) for _ in range(count)]
    for person in people:
        world.event(person, "Signed Up")
    world.settle()
    return people


def place(world: World, contact_id: int) -> tuple[int, str, str, dt.datetime, dt.datetime | None, int]:
    """Version number, step, phase, wake-up, deadline, visit of a contact's only active entry."""
    [row] = world.execute(
        "select v.number, e.step_id, e.phase, e.wake_at, e.deadline, e.visit from enrolments e \
        join journey_versions v on v.id = e.version_id where e.contact_id = :id and e.status = 'active'",
        id=contact_id,
    )
    return tuple(row)


def test_without_a_word_people_stay_on_their_version(world: World) -> None:
    [anna] = started(world, WAIT)
    done = world.publish(journey(WAIT.replace("3 days", "1 day")))
    assert done.carried == (0, 0)
    assert place(world, anna) == (1, "pause", "waiting", START + 3 * DAY, START + 3 * DAY, 1)


@pytest.mark.parametrize(("length", "days"), [("1 day", 1), ("5 days", 5)])
def test_rescheduled_people_wait_the_new_length_from_their_arrival(world: World, length: str, days: int) -> None:
    [anna] = started(world, WAIT)
    world.live(2 * DAY)
    done = world.publish(journey(WAIT.replace("3 days", length)), pause="reschedule")
    assert done.carried == (1, 0)
    assert place(world, anna)[:5] == (2, "pause", "waiting", START + days * DAY, START + days * DAY)
    world.live(5 * DAY)
    assert world.path(anna) == [
        *("entered", "hello:queued", "pause:waiting", "pause:carried", "pause:passed", "last:queued", "completed")
    ]
    assert world.statuses(anna) == ["completed"]


def test_a_calendar_month_is_counted_as_the_executor_counts_it(world: World) -> None:
    [anna] = started(world, WAIT)
    world.publish(journey(WAIT.replace("3 days", "1 month")), pause="reschedule")
    assert place(world, anna)[3] == START.replace(month=4)


def test_a_local_time_is_the_first_one_after_arrival_where_the_contact_lives(world: World) -> None:
    [anna, ben] = [*started(world, WAIT, timezone="Asia/Tokyo"), world.contact()]
    world.event(ben, "Signed Up")
    world.live(HOUR)
    world.publish(journey(WAIT.replace("3 days", "until 09:30")), pause="reschedule")
    assert place(world, anna)[3:5] == (START.replace(day=3, hour=0, minute=30),) * 2
    assert place(world, ben)[3:5] == (START.replace(day=3, hour=9, minute=30),) * 2


def test_a_date_of_the_contact_counts_from_then_on(world: World) -> None:
    [anna, ben] = [*started(world, WAIT, trial_ends_at="2026-03-04T00:00:00Z"), world.contact()]
    world.event(ben, "Signed Up")
    world.settle()
    world.publish(journey(WAIT.replace("3 days", "until 1 day before trial_ends_at")), pause="reschedule")
    world.settle()
    assert place(world, anna)[:4] == (2, "pause", "waiting", START.replace(day=3, hour=0))
    assert world.statuses(ben) == ["completed"]  # without a date there is nothing to wait for


def test_a_wait_for_is_asked_by_its_new_rule(world: World) -> None:
    rule = '- wait_for: did "A"\n  id: pause\n  up_to: 3 days'
    [anna, ben] = started(world, rule, count=2)
    world.event(anna, "B")
    world.live(DAY)
    world.publish(journey(rule.replace('"A"', '"B"').replace("3 days", "5 days")), pause="reschedule")
    world.settle()
    assert world.path(anna)[-2:] == ["pause:met", "completed"]
    assert place(world, ben)[:5] == (2, "pause", "waiting", START + 5 * DAY, START + 5 * DAY)


def test_an_unchanged_step_takes_people_along_with_their_timers(world: World) -> None:
    [anna] = started(world, WAIT)
    world.live(DAY)
    world.publish(journey(WAIT.replace("email: last", "email: other")), pause="reschedule")
    assert place(world, anna) == (2, "pause", "waiting", START + 3 * DAY, START + 3 * DAY, 1)
    world.live(2 * DAY)
    assert world.execute("select c.slug from messages m join contents c on c.id = m.content_id order by m.id") == [
        ("hello",),
        ("other",),
    ]


def test_moved_people_arrive_as_if_they_came_now_also_without_an_edit(world: World) -> None:
    [anna] = started(world, WAIT)
    world.live(DAY)
    world.publish(journey(WAIT), pause="move:last")
    assert place(world, anna)[:3] == (1, "last", "ready")
    world.settle()
    assert world.path(anna)[-3:] == ["last:carried", "last:queued", "completed"]


def test_who_is_moved_back_gets_the_message_of_the_step_once_more(world: World) -> None:
    [anna] = started(world, WAIT)
    world.publish(journey(WAIT.replace("3 days", "2 days")), pause="move:hello")
    world.live(3 * DAY)
    assert world.messages(anna) == [("hello", "accepted"), ("hello", "accepted"), ("last", "accepted")]
    assert world.statuses(anna) == ["completed"]
    visits = world.execute("select step_id, visit, outcome from step_log where step_id = 'pause' order by id")
    assert [tuple(row) for row in visits] == [("pause", 1, "waiting"), ("pause", 2, "waiting"), ("pause", 2, "passed")]


def test_exit_ends_entries_and_cancels_their_queued_messages(world: World) -> None:
    [anna] = started(world, WAIT)
    done = world.publish(journey("- email: last\n  id: last"), pause="exit")
    assert done.carried == (0, 1)
    assert world.statuses(anna) == ["exited"]
    assert world.path(anna)[-1] == "exited"
    assert world.execute("select reason, wake_at from enrolments") == [("exit: chosen at publishing", None)]


def test_a_renamed_step_keeps_the_people_who_wait_there(world: World) -> None:
    [anna] = started(world, WAIT)
    steps = WAIT.replace("id: pause", "id: settle")
    done = world.publish(journey(steps, "moved: [{from: pause, to: settle}]\n"))
    assert done.carried == (1, 0)
    assert place(world, anna) == (2, "settle", "waiting", START + 3 * DAY, START + 3 * DAY, 1)


def test_a_rename_can_be_declined(world: World) -> None:
    [anna] = started(world, WAIT)
    steps = WAIT.replace("id: pause", "id: settle")
    world.publish(journey(steps, "moved: [{from: pause, to: settle}]\n"), pause="stay")
    assert place(world, anna)[:2] == (1, "pause")


def test_a_renamed_split_draws_as_before(world: World) -> None:
    split = "- split: ab\n  id: ab\n  paths:\n    - share: 50%\n    - share: 50%\n- wait: 1 day\n  id: rest"
    people = started(world, split, "", 12)
    world.publish(
        journey(split.replace("id: ab", "id: halves"), "moved: [{from: ab, to: halves}]\n"), rest="move:halves"
    )
    world.settle()
    arms = world.execute("select arms ->> 'ab', arms ->> 'halves' from enrolments")
    assert len(arms) == len(people) and all(before == after for before, after in arms)
    assert {before for before, _ in arms} == {"a", "b"}


def test_people_of_every_older_version_are_asked_about_alike(world: World) -> None:
    [anna] = started(world, WAIT)
    world.publish(journey(WAIT.replace("3 days", "4 days")))
    ben = world.contact()
    world.event(ben, "Signed Up")
    world.settle()
    done = world.publish(journey(WAIT.replace("3 days", "5 days")), pause="reschedule")
    assert done.carried == (2, 0)
    assert {place(world, one)[:4] for one in (anna, ben)} == {(3, "pause", "waiting", START + 5 * DAY)}


def test_the_star_takes_everybody_along_whose_step_is_still_there(world: World) -> None:
    people = started(world, f"{WAIT.replace('3 days', '1 day')}\n- wait: 1 day\n  id: rest", count=2)
    world.live(DAY)
    late = world.contact()
    world.event(late, "Signed Up")
    world.settle()
    done = world.publish(journey(WAIT.replace("3 days", "1 day")), **{"*": "reschedule"})
    assert done.carried == (1, 0)
    assert [place(world, one)[:2] for one in (*people, late)] == [(1, "rest"), (1, "rest"), (2, "pause")]


def test_the_same_text_again_carries_who_stayed_behind(world: World) -> None:
    [anna] = started(world, WAIT)
    edited = journey(WAIT.replace("3 days", "1 day"))
    world.publish(edited)
    done = world.publish(edited, pause="reschedule")
    assert done.unchanged and done.carried == (1, 0)
    assert place(world, anna)[0] == 2


def test_a_goal_counts_by_the_text_that_they_were_taken_to(world: World) -> None:
    [anna] = started(world, WAIT, 'goal: {when: did "Paid", within: 2 days}\n')
    world.publish(journey(WAIT, 'goal: {when: did "Bought", within: 9 days, value: 5}\n'), pause="reschedule")
    assert world.execute("select goal_until from enrolments") == [(START + 9 * DAY,)]
    world.event(anna, "Bought")
    world.settle()
    assert world.goals() == [(anna, 5.0)]


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"nobody": "exit"}, "there is no step `nobody`"),
        ({"pause": "move:nowhere"}, "no step `nowhere` to move to"),
        ({"pause": "reschedule"}, "`pause` is not in the new text"),
        ({"pause": "teleport"}, "`teleport` is no choice"),
    ],
)
def test_choices_that_cannot_be_carried_out_are_refused_and_nothing_is_published(
    world: World, choices: dict[str, str], words: str
) -> None:
    started(world, WAIT)
    with pytest.raises(InvalidInput, match=words):
        world.publish(journey("- email: last\n  id: last"), **choices)
    assert world.execute("select max(number) from journey_versions") == [(1,)]


def test_a_publish_for_another_live_version_is_refused(world: World) -> None:
    started(world, WAIT)
    with pytest.raises(Conflict), world.database.transaction() as session:
        publish(session, journey(WAIT), START, "test", expected=0)


def test_rollback_publishes_the_earlier_text_as_a_new_version(world: World) -> None:
    [anna] = started(world, WAIT)
    world.publish(journey(WAIT.replace("3 days", "1 day")), pause="reschedule")
    with world.database.transaction() as session:
        done = rollback(session, "j", None, START, "test")
    assert (done.version.number, done.version.source) == (3, journey(WAIT))
    assert place(world, anna)[0] == 2


@pytest.mark.parametrize(("choice", "state"), [("stay", "cancelled"), ("reschedule", "accepted")])
def test_a_queued_message_is_held_against_the_exits_of_the_version_that_its_entry_is_at(
    world: World, choice: str, state: str
) -> None:
    steps = "- email: hello\n  id: mail\n- wait: 1 day\n  id: rest"
    world.publish(journey(steps, "exit: ['plan is \"left\"']\n"))
    anna = world.contact()
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    world.state("j", "paused")
    world.publish(journey(steps), rest=choice)
    with world.database.transaction() as session:  # the gate sees it before the match does
        set_attributes(session, {anna: {"plan": "left"}}, world.now)
    sending.send(world.database)
    assert world.messages(anna) == [("mail", state)]


def test_who_moves_on_while_a_publish_waits_for_them_is_left_alone(world: World) -> None:
    """An executor holds both; the publish waits, and then finds only one of them still at the step."""
    anna, ben = started(world, "- wait: 1 day\n  id: pause\n- wait: 1 day\n  id: rest", count=2)
    world.live(HOUR)
    world.execute(
        "update enrolments set wake_at = :now, deadline = :now where contact_id = :id", now=world.now, id=anna
    )
    now = world.now
    with world.database.transaction() as session:
        session.execute(text("select from enrolments order by id for update"))
        catalogue = catalogues.load(session)
        version = next(version for version in catalogue.versions.values())
        thread = Thread(lambda: world.publish(journey("- wait: 2 days\n  id: pause"), pause="reschedule"))
        thread.join(0.5)
        assert thread.is_alive()
        assert advance(session, catalogue, version, now) == 1
    done = thread.finish()
    assert isinstance(done, Published) and done.carried == (1, 0)
    assert [place(world, one)[:2] for one in (anna, ben)] == [(1, "rest"), (2, "pause")]


def met_crosswise(world: World, lock: str, publishing: Callable[[], Published]) -> Published:
    """A publish that waits for `lock` while its holder asks for the entries that the publish has: it does so again."""
    with world.database.transaction() as session:
        session.execute(text(lock))
        thread = Thread(publishing)
        thread.join(0.5)
        assert thread.is_alive()
        session.execute(text("set local deadlock_timeout = '1min'"))  # so that the publish is the one to give way
        session.execute(text("select from enrolments for update"))
    done = thread.finish()
    assert isinstance(done, Published)
    return done


def test_a_publish_that_meets_a_sender_crosswise_does_its_part_again(world: World) -> None:
    """A sender locks a message and then its entry; an exit locks the entry and then its messages. Both succeed."""
    steps = "- email: hello\n  id: mail\n- wait: 1 day\n  id: rest"
    world.publish(journey(steps))
    anna = world.contact()
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    done = met_crosswise(
        world,
        "select from messages for update",
        lambda: world.publish(journey("- email: hello\n  id: mail"), rest="exit"),
    )
    assert done.carried == (0, 1)
    assert world.messages(anna) == [("mail", "cancelled")]


def test_who_arrives_during_a_publish_and_moves_on_before_it_is_done_is_left_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anna is not at the step yet when those at it are locked, and not any more when they are written."""
    anna, ben = started(world, "- wait: 1 day\n  id: pause\n- wait: 1 day\n  id: rest", count=2)
    put = "update enrolments set step_id = :step where contact_id = :id"
    world.execute(put, step="rest", id=anna)
    stopping = carrying.LOCK.replace("count(*)", "count(*), pg_advisory_xact_lock(4711)")
    monkeypatch.setattr(carrying, "LOCK", stopping)
    with world.database.transaction() as session:
        session.execute(text("select pg_advisory_lock(4711)"))
        thread = Thread(lambda: world.publish(journey("- wait: 2 days\n  id: pause"), pause="reschedule"))
        thread.join(0.5)
        world.execute(put, step="pause", id=anna)
        session.execute(text(put), {"step": "rest", "id": anna})
        session.execute(text("select pg_advisory_unlock(4711)"))
        thread.join(0.5)
        assert thread.is_alive()
    done = thread.finish()
    assert isinstance(done, Published) and done.carried == (1, 0)
    assert [place(world, one)[:2] for one in (anna, ben)] == [(1, "rest"), (2, "pause")]


def test_a_publish_that_meets_a_counter_crosswise_does_its_part_again(world: World) -> None:
    """Counters are written last, by SQLAlchemy, which wraps the driver's errors."""
    [anna] = started(world, "- wait: 1 day\n  id: pause")
    done = met_crosswise(
        world,
        "lock step_rollups in exclusive mode",
        lambda: world.publish(journey("- wait: 2 days\n  id: pause"), pause="reschedule"),
    )
    assert done.carried == (1, 0)
    assert place(world, anna)[:2] == (2, "pause")


def test_a_rollback_that_waits_for_a_publisher_rolls_back_what_that_one_has_published(world: World) -> None:
    texts = [journey(WAIT.replace("3 days", f"{days} days")) for days in (1, 2, 3)]
    for source in texts[:2]:
        world.publish(source)

    def back() -> Published:
        with world.database.transaction() as session:
            return rollback(session, "j", None, START, "test")

    with world.database.transaction() as session:
        publish(session, texts[2], START, "test")
        late = Thread(back)
        wait_for_a_lock(world.database)
    done = late.finish()
    assert (done.version.number, done.version.source) == (4, texts[1])


@pytest.mark.parametrize("kind", ["opened", "received"])
def test_a_rule_about_a_renamed_step_sees_what_was_sent_under_its_former_name(world: World, kind: str) -> None:
    [anna] = started(world, WAIT)
    bert = world.contact(email=None)
    world.event(bert, "Signed Up")
    world.settle()
    if kind == "opened":
        world.event(anna, "Email Opened", content="hello", step="hello", journey="j")
    steps = WAIT.replace("id: hello", "id: greeting").replace("id: last", f'id: last\n  if: {kind} step "greeting"')
    world.publish(journey(steps, "moved: [{from: hello, to: greeting}]\n"), pause="reschedule")
    world.live(5 * DAY)
    assert world.path(anna)[-2:] == ["last:queued", "completed"]
    assert world.path(bert)[-2:] == ["last:skipped", "completed"]
