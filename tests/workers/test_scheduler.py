"""The scheduler: one leader, each slot once, doorbells for what is due."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator

import pytest
from redis import Redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import partitions
from engine.db import Database
from engine.webhooks import endpoints
from workers.due import DUE, due
from workers.enqueue import bell_key, connect
from workers.scheduler import TIMETABLE, Schedule, Scheduler, slot_at, tidy

SECOND = dt.timedelta(seconds=1)
NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with connect(redis_url) as client:
        client.flushall()
        yield client


def noting(notes: list[str], what: str) -> Callable[[Session, dt.datetime], list[str]]:
    def act(session: Session, now: dt.datetime) -> list[str]:
        notes.append(what)
        return []

    return act


def scheduler(database: Database, redis: Redis, *timetable: Schedule, duration: dt.timedelta = SECOND) -> Scheduler:
    return Scheduler(database, redis, timetable, duration=duration, renew_every=dt.timedelta(milliseconds=200))


def wait_for(condition: Callable[[], object], patience: float = 10.0) -> None:
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_of_two_schedulers_one_leads_each_slot_runs_once_and_the_other_takes_over(
    database: Database, redis: Redis
) -> None:
    notes: list[str] = []
    fast = dt.timedelta(milliseconds=250)
    pair = [scheduler(database, redis, Schedule("tick", fast, noting(notes, name))) for name in "ab"]
    for each in pair:
        each.start()
    wait_for(lambda: len(notes) >= 4)
    assert len(set(notes)) == 1
    assert [bool(each.held) for each in pair].count(True) == 1

    leader, other = pair if pair[0].held else pair[::-1]
    leader._clockwork.shutdown(wait=True)  # it dies without giving its leadership up
    before = len(notes)
    wait_for(lambda: other.held and len(notes) > before)
    other.stop()
    with database.transaction() as session:
        slots = session.execute(text("select count(*), count(distinct fence) from schedule_slots")).one()
    assert tuple(slots) == (len(notes), 2)


def test_a_leader_that_was_paused_past_its_lease_does_not_act(database: Database, redis: Redis) -> None:
    notes: list[str] = []
    written = Schedule("written", SECOND, noting(notes, "written"))
    read = Schedule("read", SECOND, noting(notes, "read"), slots=False)
    paused, successor = scheduler(database, redis, written, read), scheduler(database, redis)
    paused.elect()
    time.sleep(1.05)
    successor.elect()
    assert paused.held and successor.held
    held = paused.held
    paused.keep(written)
    paused.held = held
    paused.keep(read)
    assert notes == []
    assert paused.held is None


def test_a_leader_that_cannot_reach_the_database_for_a_moment_leads_on(database: Database, redis: Redis) -> None:
    leader = scheduler(database, redis)
    leader.elect()
    held = leader.held
    leader.database = Database("postgresql://nobody@/none?host=/nowhere", workspace=database.workspace)
    leader.elect()
    leader.database = database
    leader.elect()
    assert held is not None and leader.held == held


def test_a_successor_leaves_the_slots_of_its_predecessor_alone(database: Database, redis: Redis) -> None:
    notes: list[str] = []
    daily = Schedule("daily", dt.timedelta(days=1), noting(notes, "daily"))
    pair = [scheduler(database, redis, daily) for _ in range(2)]
    for each in pair:
        each.elect()
        each.keep(daily)
        time.sleep(1.05)
    assert [each.held and each.held.fence for each in pair] == [1, 2]
    assert notes == ["daily"]


def test_a_schedule_that_fails_is_tried_again_in_its_slot(database: Database, redis: Redis) -> None:
    notes: list[str] = []

    def fail_once(session: Session, now: dt.datetime) -> list[str]:
        notes.append("try")
        if len(notes) == 1:
            raise ValueError("first time")
        return ["refresh"]

    daily = Schedule("daily", dt.timedelta(days=1), fail_once)
    alone = scheduler(database, redis, daily, duration=60 * SECOND)
    alone.elect()
    for _ in range(4):
        alone.keep(daily)
    assert notes == ["try", "try"]
    assert redis.exists(bell_key("refresh", {}))


def test_a_new_leader_makes_partitions_and_asks_for_segments_that_cannot_be_foretold(
    database: Database, redis: Redis
) -> None:
    with database.transaction() as session:
        session.execute(
            text(
                "insert into segments (public_id, slug, name, rule, stale, periodic) "
                "values ('s', 's', 's', 'in journey \"x\"', false, true), ('t', 't', 't', 'plan is set', false, false)"
            )
        )
        session.execute(text(f"drop table hits_{dt.datetime.now(dt.UTC):%Y_%m}"))
    leader = scheduler(database, redis, *TIMETABLE)
    leader.elect()
    for schedule in TIMETABLE:
        leader.keep(schedule)
    with database.transaction() as session:
        assert session.execute(text(f"select count(*) from hits_{dt.datetime.now(dt.UTC):%Y_%m}")).scalar() == 0
        assert session.execute(text("select slug from segments where stale")).scalars().all() == ["s"]
    assert redis.exists(bell_key("refresh", {}))


def test_slots_are_counted_from_1970(database: Database) -> None:
    moment = dt.datetime(2026, 3, 4, 5, 6, 7, 890, tzinfo=dt.UTC)
    assert slot_at(moment, dt.timedelta(days=1)) == dt.datetime(2026, 3, 4, tzinfo=dt.UTC)
    assert slot_at(moment, dt.timedelta(minutes=10)) == dt.datetime(2026, 3, 4, 5, 0, tzinfo=dt.UTC)


def test_deliveries_are_forgotten_in_batches_90_days_after_their_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "MOST_FORGOTTEN", 2)
    long_ago, lately = NOW - dt.timedelta(days=91), NOW - dt.timedelta(days=89)
    ends = [("delivered", long_ago)] * 2 + [("failed", long_ago), ("pending", None), ("delivered", lately)]
    with database.transaction() as session:
        for number, (state, ended_at) in enumerate(ends):
            values = {"id": number, "state": state, "ended_at": ended_at, "at": long_ago}
            session.execute(ENDED, values)
        left = []
        for _ in range(2):
            tidy(session, NOW)
            left.append(list(session.execute(text("select enrolment_id from deliveries order by 1")).scalars()))
    assert len(left[0]) == 3 and left[1] == [3, 4]


ENDED = text(
    "insert into deliveries (enrolment_id, step_id, visit, endpoint, payload, state, next_at, created_at, ended_at) "
    "values (:id, 'a', 1, 'crm', '{}', :state, :at, :at, :ended_at)"
)
WORK = {
    "deliver": "insert into deliveries (enrolment_id, step_id, visit, endpoint, address, payload, next_at, created_at) "
    "values (1, 'a', 1, '', 'a@b.example', '{}', :now, :now)",
    "match": "insert into event_inbox (available_at, contact_id, name, occurred_at, received_at, message_id) "
    "values (:now, 1, 'x', :now, :now, 'm')",
    "refresh": "insert into change_inbox (contact_id, kind, names) values (1, 'attribute', '{}')",
    "send": "insert into messages (origin_at, contact_id, content_id, channel, queued_at, send_after) "
    "values (:now, 1, 1, 'email', :now, :now)",
    "hits": "insert into hits (at, kind, message_id, origin_at, method) "
    "values (:now - interval '4 s', 'open', 1, :now, 'GET')",
    "receipts": "insert into receipts (provider, provider_id, channel, kind, status, reason, occurred_at, received_at) "
    "values ('mail', '1', 'email', 'hard', '', '', :now, :now)",
    "campaigns": "insert into campaigns (public_id, slug, name, channel, definition, next_at) "
    "values ('c', 'c', 'c', 'email', '{}', :now)",
    "feeds": "insert into feeds (slug, every, next_at) values ('shop', 60, :now)",
    "rejudge": "insert into workspace_settings (name, value) values ('hits.rejudging', '{}')",
    "sweep": "insert into message_claims (claimed_at, ids, origins) values (:now - interval '1 min', '{}', '{}')",
    "advance": "with j as (insert into journeys (public_id, slug, state) values ('j', 'j', 'live') returning id), "
    "v as (insert into journey_versions (journey_id, number, source) select id, 1, '' from j returning id, journey_id) "
    "insert into enrolments (journey_id, version_id, contact_id, status, phase, wake_at, entered_at, "
    "trigger_occurred_at, trigger_received_at) "
    "select journey_id, id, 1, 'active', 'ready', :now, :now, :now, :now from v",
}


@pytest.mark.parametrize("job", DUE)
def test_each_kind_of_work_is_found_when_it_is_due_and_not_before(database: Database, job: str) -> None:
    with database.transaction() as session:
        partitions.ensure_ahead(session, NOW, months=0)
        assert due(session, NOW) == []
        session.execute(text(WORK[job]), {"now": NOW})
        assert due(session, NOW) == [job]
        if job not in ("refresh", "receipts", "rejudge"):
            assert due(session, NOW - dt.timedelta(minutes=2)) == []
