"""A campaign that does harm stops by itself."""

from __future__ import annotations

from engine import workspace
from tests.campaigns.town import Town
from tests.journeys.runtime.world import HOUR, START

MINUTE = HOUR / 60


def limits(town: Town, **values: float) -> None:
    with town.database.transaction() as session:
        workspace.save(session, **values)


def test_too_many_addresses_that_do_not_exist_pause_it_and_tell_a_colleague(town: Town) -> None:
    town.execute("insert into users (public_id, email, password_hash, role, session_stamp) "
                 "values ('u', 'a@shop.test', '', 'admin', 's')")  # fmt: skip
    limits(town, breaker_messages=8)
    town.people(16)
    town.start(throttle="60 per hour")
    town.live(7 * MINUTE)
    town.execute("update messages set state = 'failed', reason = 'hard_bounce', accepted_at = null, ended_at = :now "
                 "where id = (select min(id) from messages where state = 'accepted')", now=START)  # fmt: skip
    town.execute("insert into receipts (provider, provider_id, channel, kind, message_id, origin_at, status, reason, "
                 "occurred_at, received_at) select 'smtp', '1/1', 'email', 'hard', id, origin_at, '', '', origin_at, "
                 "origin_at from messages where state = 'failed'")  # fmt: skip
    town.execute("update message_rollups set sent = sent - 1, undelivered = undelivered + 1, cost = cost - 0.0004")
    town.execute("update messages set cost = null where state = 'failed'")
    town.live(6 * MINUTE)
    found = town.campaign()
    assert found.state == "paused"
    number, of, tried, *words = (found.reason or "").split()
    assert (number, of, words) == ("1", "of", ["addresses", "do", "not", "exist"]) and 8 <= int(tried) <= 12
    [(note,)] = town.execute("select payload ->> 'note' from deliveries")
    assert note.startswith("Cairn has paused the campaign spring\n")
    assert town.states()["queued"] == 16 - int(tried)
    limits(town, breaker_messages=10_000)
    town.do("resume")
    town.live(HOUR / 2)
    assert town.campaign().state == "sent"


def test_complaints_pause_it(town: Town) -> None:
    limits(town, breaker_messages=3)
    town.people(8)
    town.start(throttle="60 per hour")
    town.live(4 * MINUTE)
    town.execute("update message_rollups set complained = 1")
    town.live(3 * MINUTE)
    found = town.campaign()
    assert found.state == "paused" and (found.reason or "").endswith("recipients complained")
    town.execute("update message_rollups set complained = 0")
