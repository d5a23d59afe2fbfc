"""Publishing: what is refused, what is frozen, what changes nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from engine import clock, segments
from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.content import store
from engine.db import Database
from engine.errors import Conflict, LanguageError
from engine.model import Journey
from journeys import plan as planning
from journeys.publish import Refused, check, publish
from tests.journeys.runtime.test_races import Thread
from tests.journeys.runtime.world import HOUR, MAIL, World, journey

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
PAUSE = "- wait: 1 day\n  id: pause"


def rows(session: Session, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.execute(text(statement))]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (journey("- email: hello\n  id: mail"), "There is no email content `hello`."),
        (journey("- sms: hello\n  id: text"), "There is no text message content `hello`."),
        (journey(PAUSE, enter="segment: gold"), "There is no segment `gold`."),
        (journey('- wait_for: in segment "gold"\n  id: gold\n  up_to: 1 day'), "gold"),
        (journey("- webhook: crm/task\n  id: call"), "There is no webhook `crm/task`."),
    ],
    ids=["email", "sms", "segment", "rule", "webhook"],
)
def test_what_cannot_run_is_refused_with_its_place_and_nothing_is_saved(
    session: Session, source: str, words: str
) -> None:
    with pytest.raises(Refused) as refused:
        publish(session, source, NOW, "me")
    assert words in refused.value.message and refused.value.line
    assert refused.value.problems[0].severity == "error"
    assert rows(session, "select * from journeys") == []


def test_a_text_that_does_not_read_is_refused_at_its_place(session: Session) -> None:
    with pytest.raises(LanguageError) as refused:
        publish(session, "journey: j\nenter: {on: Signed Up}\nsteps:\n  - wait: soon\n    id: pause\n", NOW, "me")
    assert refused.value.line == 4


def test_an_sms_content_is_no_email(session: Session) -> None:
    store.save(session, "Hello", "hello", "sms", NOW)
    with pytest.raises(Refused):
        publish(session, journey("- email: hello\n  id: mail"), NOW, "me")


def test_check_says_all_and_saves_nothing(session: Session) -> None:
    source = journey("- email: hello\n  id: mail\n- sms: there\n  id: text")
    assert [problem.line for problem in check(session, source)] == [4, 6]
    assert rows(session, "select * from journeys") == rows(session, "select * from topics") == []


def test_the_first_publish_freezes_version_one_and_says_who_did_it(session: Session) -> None:
    clock.set_virtual(session, NOW)
    source = journey(PAUSE)
    done = publish(session, source, NOW, "ada")
    assert (done.version.number, done.unchanged, done.letting_in, done.warnings) == (1, False, 0, [])
    assert (done.journey.state, done.journey.live_version_id, done.journey.draft) == ("live", done.version.id, source)
    assert done.journey.published_at == NOW
    audit = rows(session, "select actor, action, object, detail from audit_log")
    assert audit == [("ada", "publish", "journey j", {"version": 1})]


def test_the_same_text_again_changes_nothing(session: Session) -> None:
    publish(session, journey(PAUSE), NOW, "me")
    again = publish(session, journey(PAUSE), NOW + dt.timedelta(days=1), "me")
    assert again.unchanged and again.version.number == 1
    assert len(rows(session, "select * from journey_versions")) == len(rows(session, "select * from audit_log")) == 1


def test_another_text_is_the_next_version_and_the_first_is_kept(session: Session) -> None:
    clock.set_virtual(session, NOW)
    first = publish(session, journey(PAUSE), NOW, "me")
    second = publish(session, journey("- wait: 2 days\n  id: pause"), NOW + dt.timedelta(days=1), "me")
    assert (second.version.number, second.journey.live_version_id) == (2, second.version.id)
    assert second.journey.published_at == NOW
    assert rows(session, "select number, source from journey_versions order by 1")[0] == (1, first.version.source)


def test_the_same_text_makes_a_paused_journey_live_again(session: Session) -> None:
    done = publish(session, journey(PAUSE), NOW, "me")
    done.journey.state = "paused"
    session.flush()
    again = publish(session, journey(PAUSE), NOW, "me")
    assert again.journey.state == "live"


def test_topics_that_sends_name_are_known_from_then_on(session: Session) -> None:
    store.save(session, MAIL, "hello", "email", NOW)
    source = journey("- email: hello\n  id: mail\n  topic: product-news", "send: {topic: tips}\n")
    done = publish(session, source, NOW, "me")
    assert rows(session, "select slug, name from topics order by 1") == [
        ("product-news", "Product news"),
        ("tips", "Tips"),
    ]
    assert done.warnings == []


def test_existing_lets_people_in_at_the_first_publish_only(session: Session) -> None:
    identify(session, [Profile(external_id=f"u{n}", attributes={"tier": "gold"}) for n in range(3)], NOW)
    segments.save(session, "gold", 'tier is "gold"')
    enter = "segment: gold, existing: true"
    assert publish(session, journey(PAUSE, enter=enter), NOW, "me").letting_in == 3
    assert publish(session, journey("- wait: 2 days\n  id: pause", enter=enter), NOW, "me").letting_in == 0


def test_the_count_of_those_let_in_is_known_before_the_first_publish(session: Session) -> None:
    identify(session, [Profile(external_id=f"u{n}", attributes={"tier": "gold"}) for n in range(3)], NOW)
    segments.save(session, "gold", 'tier is "gold"')
    segments.refresh(session, "gold", NOW)
    source = journey(PAUSE, enter="segment: gold, existing: true")
    [told] = check(session, source)
    assert (told.severity, told.line) == ("warning", 2)
    assert told.message == "Publishing lets in the 3 people who are in `gold` now."
    assert publish(session, source, NOW, "me").warnings == [told]
    assert check(session, source) == []


def test_two_publishers_of_one_journey_take_turns(database: Database) -> None:
    with database.transaction() as session:
        publish(session, journey(PAUSE), NOW, "me")

    def other() -> int:
        with database.transaction() as mine:
            return publish(mine, journey("- wait: 3 days\n  id: pause"), NOW, "other").version.number

    with database.transaction() as session:
        assert publish(session, journey("- wait: 2 days\n  id: pause"), NOW, "me").version.number == 2
        thread = Thread(other)
        thread.join(0.5)
        assert thread.is_alive()
    assert thread.finish() == 3


def test_two_first_publishers_both_succeed(database: Database) -> None:
    """The second finds the first one's row when it is committed."""

    def publisher(days: int) -> int:
        with database.transaction() as mine:
            return publish(mine, journey(f"- wait: {days} days\n  id: pause"), NOW, "me").version.number

    with database.transaction() as session:
        publish(session, journey(PAUSE), NOW, "me")
        thread = Thread(lambda: publisher(2))
        thread.join(0.5)
        assert thread.is_alive()
    assert thread.finish() == 2


def test_a_publisher_that_stands_still_gives_the_turn_back(session: Session) -> None:
    publish(session, journey(PAUSE), NOW, "me")
    assert rows(session, "show idle_in_transaction_session_timeout") == [("1min",)]


def test_who_joined_before_a_publish_is_counted_together(session: Session) -> None:
    """They enter a journey that is live already: one statement for all, not one a person."""
    segments.save(session, "gold", 'tier is "gold"')
    publish(session, journey(PAUSE, enter="segment: gold"), NOW, "me")
    identify(session, [Profile(external_id=f"u{n}", attributes={"tier": "gold"}) for n in range(9)], NOW)
    counting: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if "_rollups" in statement:
            counting.append(statement)

    event.listen(session.connection(), "before_cursor_execute", note)
    publish(session, journey(PAUSE, slug="other", enter="segment: gold"), NOW, "me")
    assert len(rows(session, "select * from enrolments")) == 9
    assert len(set(counting)) == len(counting) > 0


def members(world: World) -> int:
    return len(world.execute("select from segment_memberships where left_at is null"))


def test_who_joined_while_a_publisher_waited_for_the_turn_stays_in_the_segment(world: World) -> None:
    world.segment("buyers", 'did "Order Completed" in the last 30 days')
    asked = world.now
    world.jump(HOUR)
    world.event(world.contact(), "Order Completed")
    world.settle()
    with world.database.transaction() as session:
        done = publish(session, journey(PAUSE, enter="segment: buyers"), asked, "test")
        assert done.version.published_at == asked + HOUR
    world.settle()
    assert members(world) == 1


def test_who_joined_while_a_publisher_waited_for_the_segment_stays_in_it(world: World) -> None:
    """The turn was free; the segment was under a full refresh."""
    world.segment("buyers", 'did "Order Completed" in the last 30 days')
    with world.database.transaction() as session:
        segments.refresh(session, "buyers", clock.now)
        thread = Thread(lambda: world.publish(journey(PAUSE, enter="segment: buyers")))
        thread.join(0.5)
        assert thread.is_alive()
        world.jump(HOUR)
        world.event(world.contact(), "Order Completed")
        segments.refresh(session, "buyers", clock.now)
    thread.finish()
    world.settle()
    assert world.execute("select left_at from segment_memberships") == [(None,)]  # one stay, without a gap


def test_members_are_present_ones_though_somebody_refreshes_their_segment_at_the_publish(world: World) -> None:
    """It reads another segment, and its members are found for the first time: nobody is to enter because of that."""
    anna = world.contact(plan="pro")
    world.segment("base", 'plan is "pro"')
    with world.database.transaction() as session:
        segments.save(session, "top", 'in segment "base"')
    threads: list[Thread] = []

    def meanwhile(*arguments: object) -> None:
        if not threads and "update segments set stale = asks" in str(arguments[2]):
            threads.append(Thread(lambda: world.publish(journey(PAUSE, enter="segment: top"))))
            threads[0].join(0.5)

    event.listen(world.database.engine, "before_cursor_execute", meanwhile)
    with world.database.transaction() as session:
        assert segments.refresh_stale(session, clock.now) == "top"
    event.remove(world.database.engine, "before_cursor_execute", meanwhile)
    threads[0].finish()
    world.settle()
    assert members(world) == 2 and world.statuses(anna) == []


def test_a_plan_is_refused_when_another_version_was_published_while_it_waited(world: World) -> None:
    world.publish(journey(PAUSE))
    with world.database.transaction() as session:
        [made] = planning.plans(session, [journey("- wait: 2 days\n  id: pause")], {})

    def apply() -> None:
        with world.database.transaction() as mine:
            planning.carry_out(mine, made, world.now, "other")

    with world.database.transaction() as session:
        publish(session, journey("- wait: 3 days\n  id: pause"), world.now, "me")
        thread = Thread(apply)
        thread.join(0.5)
        assert thread.is_alive()
    with pytest.raises(Conflict):
        thread.finish()


def test_a_journey_stopped_since_it_was_looked_at_is_published_anew(world: World) -> None:
    world.publish(journey(PAUSE))
    with world.database.transaction() as session:
        looked_at = session.execute(select(Journey)).scalar_one()
        world.state("j", "stopped")
        assert not publish(session, journey(PAUSE), world.now, "me").unchanged
        assert looked_at.state == "live"
    assert world.execute("select state from journeys") == [("live",)]
