"""A campaign that does harm stops by itself."""

from __future__ import annotations

from engine import workspace
from tests.campaigns.town import Town
from tests.journeys.runtime.world import HOUR


def limits(town: Town, **values: float) -> None:
    with town.database.transaction() as session:
        workspace.save(session, **values)


def test_too_many_addresses_that_do_not_exist_pause_it_and_tell_a_colleague(town: Town) -> None:
    town.execute("insert into users (public_id, email, password_hash, role, session_stamp) "
                 "values ('u', 'a@shop.test', '', 'admin', 's')")  # fmt: skip
    limits(town, breaker_messages=20)
    town.people(40)
    town.start(throttle="60 per hour")
    town.live(HOUR / 4)
    town.execute("update messages set state = 'failed', reason = 'hard_bounce', accepted_at = null, ended_at = now() "
                 "where id in (select id from messages where state = 'accepted' limit 3)")  # fmt: skip
    town.execute("update message_rollups set sent = sent - 3, undelivered = undelivered + 3")
    town.live(HOUR)
    found = town.campaign()
    assert (found.state, found.reason) == ("paused", "3 of 20 addresses do not exist")
    [(note,)] = town.execute("select payload ->> 'note' from deliveries")
    assert note.startswith("Cairn has paused the campaign spring\n")
    assert town.states()["queued"] == 20
    town.do("resume")
    limits(town, breaker_messages=10_000)
    town.live(HOUR)
    assert town.campaign().state == "sent"
    town.execute("update messages set ended_at = '2026-03-02 12:00Z' where state = 'failed'")


def test_complaints_pause_it(town: Town) -> None:
    limits(town, breaker_messages=5)
    town.people(20)
    town.start(throttle="60 per hour")
    town.live(HOUR / 6)
    town.execute("update message_rollups set complained = 1")
    town.live(HOUR)
    assert town.campaign().reason == "1 of 11 recipients complained"
    town.execute("update message_rollups set complained = 0")
