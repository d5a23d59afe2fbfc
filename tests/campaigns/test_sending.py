"""A campaign from its start to its end: who gets it, when, and what pausing and cancelling do."""

from __future__ import annotations

import datetime as dt

import pytest

from engine import workspace
from engine.campaigns import feed, resuming
from engine.contacts.merge import merge
from engine.errors import InvalidInput
from engine.receipts import streams
from tests.campaigns.town import Town
from tests.journeys.runtime.world import HOUR, START
from workers import campaigning

STREAM = "domain:hello@cairn.example>slow.example"


def test_everybody_in_the_audience_gets_it_once_and_nobody_else(town: Town) -> None:
    town.people(5, plan="pro")
    town.people(2, plan="pro", staff=True)
    town.people(3, plan="free")
    town.start(audience='plan is "pro"', **{"except": "staff is true"})
    town.live(HOUR)
    found = town.report()
    assert (found.campaign.state, found.campaign.audience_count, found.total.sent) == ("sent", 5, 5)
    assert (found.waiting, found.ahead) == (0, 0)
    assert town.states() == {"accepted": 5}


def test_who_joins_the_audience_after_the_freeze_gets_nothing(town: Town) -> None:
    town.people(2)
    town.start()
    town.settle()
    town.people(1)
    town.live(HOUR)
    assert town.states() == {"accepted": 2}


def test_the_gate_asks_consent_at_the_last_moment(town: Town) -> None:
    first, *_ = town.people(3)
    town.start(at="2026-03-02 15:00")
    town.consent(first, "unsubscribed")
    town.live(4 * HOUR)
    assert town.states() == {"accepted": 2, "suppressed": 1}
    found = town.report()
    assert (found.campaign.state, found.total.sent, found.total.undelivered) == ("sent", 2, 1)


def test_it_starts_at_its_instant_in_the_workspaces_zone(town: Town) -> None:
    with town.database.transaction() as session:
        workspace.save(session, timezone="Europe/Berlin")
    town.people(1)
    town.start(at="2026-03-02 15:00")  # 14:00 UTC
    town.live(HOUR)
    assert town.states() == {}
    town.live(HOUR)
    assert town.execute("select send_after from messages")[0][0] == START + 2 * HOUR


def test_each_contact_gets_it_at_the_hour_of_their_zone(town: Town) -> None:
    zones = ["Pacific/Kiritimati", "Asia/Tokyo", "UTC", "America/New_York", "Pacific/Niue", "nowhere", None]
    people = {zone: town.contact(timezone=zone) for zone in zones}
    town.start(at="2026-03-04 09:00", zone="contact")
    town.live(80 * HOUR)
    when = dict(town.execute("select contact_id, date_trunc('second', send_after) from messages"))
    nine = dt.datetime(2026, 3, 4, 9, tzinfo=dt.UTC)
    ahead = {"Pacific/Kiritimati": 14, "Asia/Tokyo": 9, "America/New_York": -5, "Pacific/Niue": -11}
    assert when == {people[zone]: nine - ahead.get(str(zone), 0) * HOUR for zone in zones}


@pytest.mark.parametrize(("passed", "hours"), [("next day", 24 - 3), ("now", 0)])
def test_whose_hour_is_over_gets_it_the_next_day_or_at_once(town: Town, passed: str, hours: int) -> None:
    town.contact(timezone="UTC")
    town.start(at="2026-03-02 09:00", zone="contact", passed=passed)  # it is 12:00
    town.live(30 * HOUR)
    assert town.execute("select send_after from messages")[0][0] == START + hours * HOUR


def test_a_throttle_spreads_the_messages_evenly(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "BATCH", 3)
    town.people(8)
    town.start(throttle="60 per hour")
    town.live(HOUR)
    moments = [row[0] for row in town.execute("select accepted_at from messages order by id")]
    assert moments == [START + dt.timedelta(minutes=number) for number in range(8)]


def test_a_pause_holds_what_is_queued_and_a_resume_spreads_it_anew(town: Town) -> None:
    town.people(6)
    town.start(throttle="60 per hour")
    town.live(dt.timedelta(minutes=1, seconds=30))
    town.do("pause")
    town.live(2 * HOUR)
    assert town.states() == {"accepted": 2, "queued": 4}
    again = town.now
    town.do("resume")
    town.live(HOUR)
    moments = [row[0] for row in town.execute("select accepted_at from messages order by accepted_at")]
    assert moments[2:] == [again + dt.timedelta(minutes=number) for number in range(4)]
    assert town.campaign().state == "sent"


def test_a_stream_that_goes_on_keeps_the_distances_of_a_campaign(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "BATCH", 3)
    people = town.people(8)
    town.execute("update contacts set email = 'u' || id || '@slow.example' where id <= :last", last=people[3])
    with town.database.transaction() as session:
        streams.pause(session, STREAM, "test", "boss", town.now)
    town.start(throttle="60 per hour")
    town.live(dt.timedelta(minutes=5, seconds=30))
    assert town.states() == {"accepted": 2, "queued": 6}
    with town.database.transaction() as session:
        resuming.resume(session, STREAM, "boss", town.now)
    town.live(HOUR)
    moments = [row[0] for row in town.execute("select accepted_at from messages order by accepted_at")]
    assert moments == [START + dt.timedelta(minutes=number) for number in range(4, 12)]
    assert town.campaign().state == "sent"


def test_a_cancel_takes_back_what_is_queued_in_the_same_commit(town: Town) -> None:
    town.people(4)
    town.start(throttle="60 per hour")
    town.live(dt.timedelta(seconds=30))
    town.do("cancel")
    assert town.states() == {"accepted": 1, "cancelled": 3}
    found = town.report()
    assert (found.campaign.state, found.total.undelivered, found.waiting) == ("cancelled", 3, 0)
    with pytest.raises(InvalidInput, match="is cancelled"):
        town.do("resume")


def test_a_message_expires_that_could_not_leave_in_time(town: Town) -> None:
    town.people(2)
    town.start(expires="1 hour", throttle="1 per hour")
    town.live(5 * HOUR)
    assert town.states() == {"accepted": 1, "expired": 1}


def test_a_small_campaign_does_not_wait_behind_a_large_one(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "BATCH", 4)
    town.people(30)
    small = town.people(2, tiny=True)
    town.start(campaign="large", audience="tiny is not set")
    campaigning.campaigns(town.database)
    queued = town.execute("select count(*) from messages")[0][0]
    assert queued < 12, "only what is sent in the next seconds is queued"
    town.start(campaign="small", audience="tiny is true")
    town.jump(dt.timedelta(seconds=1))
    campaigning.campaigns(town.database)
    waiting = town.execute("select contact_id from messages order by send_after, id")
    place = max(number for number, (id_,) in enumerate(waiting) if id_ in small)
    assert place < 16
    town.live(HOUR)
    assert town.states() == {"accepted": 32}


def test_a_campaign_that_fails_is_paused_with_its_reason(town: Town) -> None:
    town.people(1)
    town.save()
    town.do("start")
    town.execute('update campaigns set definition = definition || \'{"audience": "in segment \\"gone\\""}\'')
    town.settle()
    found = town.campaign()
    assert found.state == "paused" and "gone" in (found.reason or "")


def test_two_records_of_one_person_get_one_message(town: Town) -> None:
    kept, gone, other = town.people(3)
    town.start(throttle="1 per hour")
    town.live(dt.timedelta(minutes=1))
    with town.database.transaction() as session:
        merge(session, [(other, gone)], town.now)
        merge(session, [(gone, kept)], town.now)
    town.live(6 * HOUR)
    assert town.states() == {"accepted": 1, "cancelled": 2}
    assert town.campaign().state == "sent"
    assert town.report().campaign.audience_count == 3


def test_a_batch_that_is_queued_again_queues_nobody_twice(town: Town) -> None:
    """The cursor is moved in the commit that queues; should it ever be behind, the ledger's key stands."""
    town.people(4)
    town.start(throttle="1 per hour")
    town.settle()
    town.execute("update campaign_waves set cursor = 0, done = false")
    town.execute("update campaigns set next_at = '2026-03-02 12:00Z', tail_at = null")
    town.settle()
    assert town.execute("select count(*), count(distinct contact_id) from messages")[0][:] == (4, 4)
    town.live(4 * HOUR)
    assert town.campaign().state == "sent"


def test_who_becomes_a_contact_whose_turn_has_passed_gets_it_once_all_the_same(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "BATCH", 2)
    outside = town.people(3, plan="free")
    people = town.people(6, plan="pro")
    town.start(audience='plan is "pro"', throttle="1 per hour")
    town.live(dt.timedelta(minutes=30))
    with town.database.transaction() as session:
        merge(session, [(people[4], outside[0]), (people[5], outside[2])], town.now)
    with town.database.transaction() as session:
        merge(session, [(outside[2], outside[1])], town.now)
    town.live(10 * HOUR)
    sent = [row[0] for row in town.execute("select contact_id from messages where state = 'accepted' order by 1")]
    assert sent == sorted([*people[:4], outside[0], outside[1]])
    assert town.execute("select sum(contacts), bool_and(done) from campaign_waves") == [(6, True)]
    assert town.campaign().state == "sent"
