"""A campaign that passed its check is looked at again: what has come up since pauses it, and a colleague is told."""

from __future__ import annotations

import datetime as dt

import pytest

from engine import clock, workspace
from engine.campaigns import preflight
from engine.campaigns.breaker import too_many
from engine.errors import InvalidInput
from engine.signing import signer
from tests.campaigns.test_preflight import GOOD, SITE, mail
from tests.campaigns.town import Town
from tests.journeys.runtime.world import HOUR, START

MINUTE = HOUR / 60
LATER = (START + 3 * HOUR).isoformat()
EVIL = mail("Hi <a href='https://evil.test/'>there</a>")


def begin(town: Town, **values: object) -> None:
    """Save a campaign with a good content, check it and start it, as people do."""
    town.execute("insert into users (public_id, email, password_hash, role, session_stamp) "
                 "values ('u', 'a@shop.test', '', 'admin', 's')")  # fmt: skip
    slug = town.save(**values)
    town.content("mail-a", source=mail())
    with town.database.transaction() as session:
        workspace.save(session, **GOOD)
        preflight.start(session, slug, signer(), SITE, clock.now(session), "ann", accepted=True)


def resume(town: Town, *, accepted: bool = False) -> None:
    with town.database.transaction() as session:
        preflight.resume(session, "spring", clock.now(session), "ann", accepted=accepted)


def notes(town: Town) -> list[str]:
    return [note for (note,) in town.execute("select payload ->> 'note' from deliveries order by id")]


def test_what_was_lost_between_schedule_and_start_pauses_it_before_anybody_gets_it(town: Town) -> None:
    town.people(3)
    begin(town, at=LATER)
    with town.database.transaction() as session:
        workspace.save(session, postal_address="")
    town.live(4 * HOUR)
    found = town.campaign()
    assert (found.state, found.audience_count, town.states()) == ("paused", 0, {})
    assert "postal address" in (found.reason or "") and "postal address" in notes(town)[0]
    with pytest.raises(InvalidInput, match="postal address"):
        resume(town)
    with town.database.transaction() as session:
        workspace.save(session, postal_address="1 High Street")
    resume(town)
    town.live(HOUR)
    assert (town.campaign().state, town.states()) == ("sent", {"accepted": 3})


def test_a_segment_that_nobody_is_left_in_at_the_start_is_said(town: Town) -> None:
    town.people(2, plan="pro")
    begin(town, at=LATER, audience='plan is "pro"')
    town.execute("update contacts set attributes = '{}'")
    town.live(4 * HOUR)
    assert (town.campaign().state, town.campaign().reason) == ("paused", "Nobody is in the audience")


def test_a_content_saved_anew_under_way_with_a_link_that_nobody_accepted_pauses_it(town: Town) -> None:
    town.people(30)
    begin(town, throttle="60 per hour")
    town.live(5 * MINUTE)
    town.content("mail-a", source=EVIL)
    before = town.report().total.sent
    town.live(2 * MINUTE)
    found = town.campaign()
    assert found.state == "paused" and "evil.test" in (found.reason or "") and "evil.test" in notes(town)[0]
    assert town.report().total.sent - before <= 1
    with pytest.raises(InvalidInput, match=r"needs your word: .*evil\.test"):
        resume(town)
    resume(town, accepted=True)
    town.live(HOUR)
    assert (town.campaign().state, town.states()) == ("sent", {"accepted": 30})


def test_a_corrected_content_pauses_nothing(town: Town) -> None:
    town.people(4)
    begin(town, throttle="60 per hour")
    town.live(MINUTE)
    town.content("mail-a", source=mail("Hi again"))
    town.live(HOUR)
    assert town.campaign().state == "sent"


@pytest.mark.parametrize(
    ("found", "of", "trips"),
    [(0, 0, False), (1, 1, False), (2, 3, False), (3, 5, False), (4, 5, True), (5, 20, False), (7, 20, True),
     (10, 200, False), (11, 200, True), (300, 200, True)],
)  # fmt: skip
def test_few_messages_pause_it_only_if_chance_does_not_explain_it(found: int, of: int, trips: bool) -> None:
    assert too_many(found, of, 0.05, 200) == trips


def bounce(town: Town, limit: int, since: dt.datetime) -> None:
    """Mail comes back that so many of the first messages since then had no recipient."""
    town.execute(
        "insert into receipts (provider, provider_id, channel, kind, message_id, origin_at, status, reason, "
        "occurred_at, received_at) select 'mail', id, 'email', 'hard', id, origin_at, '5.1.1', '', :now, :now "
        "from messages "
        "where state = 'accepted' and accepted_at > :since order by id limit :n",
        since=since, n=limit, now=town.now,
    )  # fmt: skip


def test_who_lets_it_go_on_is_not_stopped_by_what_left_before(town: Town) -> None:
    town.people(40)
    begin(town, throttle="60 per hour")
    town.live(10 * MINUTE)
    bounce(town, 6, START)
    town.live(6 * MINUTE)
    assert (town.campaign().reason or "").startswith("6 of ")
    resumed = town.now
    resume(town)
    town.live(6 * MINUTE)
    assert town.campaign().state == "sending"
    bounce(town, 5, resumed)
    town.live(6 * MINUTE)
    assert (town.campaign().reason or "").startswith("5 of ") and len(notes(town)) == 2
