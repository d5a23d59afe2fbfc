"""Campaigns at each contact's best hour."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from engine import clock
from engine.campaigns import preflight
from engine.campaigns.definition import as_mapping, as_yaml, parse, read
from engine.errors import InvalidInput
from engine.habits import store
from engine.messages import limits
from engine.signing import signer
from tests.campaigns.town import PLAIN, Town
from tests.journeys.runtime.world import DAY, HOUR, START
from webapp.pages import campaign_form

SITE = "https://x.example"
MIDNIGHT = START.replace(hour=0)


def opened(town: Town, hours: dict[int, int], messages: int = 5) -> None:
    """So many messages to each of these contacts were opened at its hour (UTC)."""
    moved = [
        store.Moved(contact, (None, None), (MIDNIGHT + hour * HOUR - day * DAY, None))
        for contact, hour in hours.items()
        for day in range(1, messages + 1)
    ]
    with town.database.transaction() as session:
        store.count(session, moved, ZoneInfo("UTC"))


def sent(town: Town) -> dict[int, dt.datetime]:
    """By contact, when its message left."""
    rows = town.execute("select contact_id, accepted_at from messages where accepted_at is not null")
    return {contact: at.replace(microsecond=0) for contact, at in rows}


def test_each_contact_gets_it_at_its_own_hour_and_who_is_new_at_everybodys(town: Town) -> None:
    early, late, far, new, abroad = (
        town.contact(), town.contact(), town.contact(timezone="Asia/Tokyo"), town.contact(),
        town.contact(timezone="America/New_York"),
    )  # fmt: skip
    opened(town, {early: 12, far: 20})
    opened(town, {late: 15}, messages=40)
    town.start(at="best")
    town.live(DAY)
    assert sent(town) == {
        early: START,
        late: START + 3 * HOUR,
        far: START + 8 * HOUR,
        new: START + 3 * HOUR,
        abroad: START + 8 * HOUR,
    }
    assert town.campaign().state == "sent"
    assert town.execute("select count(*) from campaign_waves where contacts = 0 and wave > 0") == [(0,)]


def test_it_begins_when_its_time_has_come(town: Town) -> None:
    early = town.contact()
    opened(town, {early: 9})
    town.start(at=f"best from {START + 30 * HOUR:%Y-%m-%d %H:%M}")
    town.live(3 * DAY)
    assert sent(town) == {early: MIDNIGHT + 2 * DAY + 9 * HOUR}


def test_hours_in_the_workspaces_quiet_hours_are_not_chosen(town: Town) -> None:
    owl = town.contact()
    opened(town, {owl: 23})
    with town.database.transaction() as session:
        limits.set_quiet(session, "email", "22:00-08:00", "test", clock.now(session))
    town.start(at="best")
    town.live(DAY)
    (at,) = sent(town).values()
    assert 8 <= at.hour < 22


def test_a_test_spreads_over_a_day_and_the_rest_over_the_day_after_the_winner(town: Town) -> None:
    people = town.people(40)
    opened(town, {contact: 18 + number % 3 for number, contact in enumerate(people)})
    town.start(
        at="best", content=None, variants=[{"name": "a", "content": "mail-a"}, {"name": "b", "content": "mail-b"}],
        test="50%", winner={"by": "clicks", "after": "4 hours"},
    )  # fmt: skip
    town.live(3 * DAY)
    found = sent(town)
    assert {contact: at.hour for contact, at in found.items()} == {
        contact: 18 + number % 3 for number, contact in enumerate(people)
    }
    assert {at.date() for at in found.values()} == {START.date(), (START + DAY).date()}, "28 hours after the start"


def test_a_throttle_and_an_expiry_count_from_each_ones_hour(town: Town) -> None:
    people = town.people(6)
    opened(town, dict.fromkeys(people[:3], 14) | dict.fromkeys(people[3:], 17))
    town.start(at="best", throttle="2 per hour", expires="50 minutes")
    town.live(DAY)
    states = town.execute("select state, count(*) from messages group by 1 order by 1")
    assert states == [("accepted", 4), ("expired", 2)], "two an hour, and the third of each is too late"


def test_a_preflight_knows_that_it_takes_a_day(town: Town) -> None:
    town.people(3)
    town.save(at="best")
    with town.database.transaction() as session:
        found = preflight.check(session, read(PLAIN | {"at": "best"}), signer(), SITE, clock.now(session))
    assert found.finish == START + DAY


@pytest.mark.parametrize("at", ["best", "best from 2026-12-01 09:00"])
def test_a_file_and_the_form_keep_it(at: str) -> None:
    found = read(PLAIN | {"at": at})
    assert found.best and as_mapping(found)["at"] == at
    assert parse(as_yaml(found)) == found
    form = campaign_form.filled(as_mapping(found))
    assert form["zone"] == "best"
    assert read(campaign_form.mapping(form, "spring")) == found


@pytest.mark.parametrize("fields", [{"at": "best", "zone": "contact"}, {"at": "best from noon"}, {"at": "bestest"}])
def test_what_cannot_be_meant_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        read(PLAIN | fields)
