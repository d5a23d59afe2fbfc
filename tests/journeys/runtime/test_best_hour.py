"""`at: best` in whole journeys: each contact gets the message at its own hour, and the explanation says why."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest

from engine import clock
from engine.habits import store
from engine.messages import limits
from engine.signing import signer
from engine.tracking import hits
from journeys.explain import explain_journey
from journeys.simulate import as_json
from tests.journeys.runtime.world import DAY, HOUR, START, World, journey
from webapp.cli._explaining import show_story
from workers.simulate import simulate

BEST = journey("- email: offer\n  id: offer\n  at: best\n", slug="best", enter="on: Asked")
TEACH = journey("- email: news\n  id: news\n", slug="teach", enter="on: Signed Up, again: always")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MIDDAY = START.replace(hour=12)


def opened(world: World, contacts: dict[int, int]) -> None:
    """Five messages to each of these were opened at its hour (UTC) on the days before."""
    moved = [
        store.Moved(contact, (None, None), (START.replace(hour=hour) - day * DAY, None))
        for contact, hour in contacts.items()
        for day in range(5)
    ]
    with world.database.transaction() as session:
        store.count(session, moved, ZoneInfo("UTC"))


def opens(world: World, contacts: dict[int, int], days: int) -> None:
    """Each of these gets a mail each noon and opens it at its hour (UTC) of the same day."""
    world.publish(TEACH)
    for _ in range(days):
        for contact in contacts:
            world.event(contact, "Signed Up")
        world.settle()
        rows = world.execute("select id, origin_at, contact_id from messages where accepted_at = :now", now=world.now)
        assert len(rows) == len(contacts)
        day = world.now.replace(hour=0)
        seen = [
            hits.Hit(day + contacts[contact] * HOUR, "open", id_, origin, user_agent=BROWSER)
            for id_, origin, contact in rows
        ]
        with world.database.transaction() as session:
            hits.store(session, seen)
        world.live(DAY)


def sent_at(world: World, contact: int, step: str = "offer") -> dt.datetime:
    [(at,)] = world.execute(
        "select accepted_at from messages where contact_id = :id and step_id = :step", id=contact, step=step
    )
    assert isinstance(at, dt.datetime)
    return at


def test_each_contact_gets_it_at_its_own_hour_and_who_is_new_at_everybodys(world: World) -> None:
    early, late, far = world.contact(), world.contact(), world.contact(timezone="Asia/Tokyo")
    opens(world, {early: 15, late: 21, far: 15}, 3)
    new = world.contact()
    world.publish(BEST)
    begun = world.now
    for contact in (early, late, far, new):
        world.event(contact, "Asked")
    world.live(DAY)
    day = begun.replace(hour=0)
    assert [sent_at(world, one) for one in (early, late, far)] == [day + hour * HOUR for hour in (15, 21, 15)]
    assert sent_at(world, new) in {day + 15 * HOUR, day + 21 * HOUR, day + DAY}, "15 and 21 o'clock here, 0 in Tokyo"
    assert "offer:held" in world.path(early)


def test_without_any_history_it_leaves_at_ten_in_the_contacts_zone(world: World) -> None:
    world.publish(BEST)
    here, there = world.contact(), world.contact(timezone="America/New_York")
    for contact in (here, there):
        world.event(contact, "Asked")
    world.live(DAY)
    assert sent_at(world, here) == MIDDAY + 22 * HOUR
    assert sent_at(world, there) == MIDDAY + 3 * HOUR


def test_the_workspaces_quiet_hours_are_no_choice(world: World) -> None:
    owl = world.contact()
    opened(world, {owl: 23})
    world.publish(BEST)
    with world.database.transaction() as session:
        limits.set_quiet(session, "email", "22:00-08:00", "test", clock.now(session))
    world.event(owl, "Asked")
    world.settle()
    wakes = world.wakes(owl)
    assert wakes is not None
    assert 8 <= wakes.hour < 22
    world.live(DAY)
    assert sent_at(world, owl) == wakes


def test_the_explanation_says_whose_history_chose_the_hour(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    known, new = world.contact(), world.contact()
    opened(world, {known: 20})
    world.publish(BEST)
    for contact in (known, new):
        world.event(contact, "Asked")
    world.settle()
    said = []
    for contact in (known, new):
        with world.database.transaction() as session:
            show_story(explain_journey(session, "best", contact, "anna", signer(), clock.now(session)))
        said += re.findall(r"offer: held (.*)", capsys.readouterr().out)
    assert "best hour by = the contact's own opens and clicks" in said[0]
    assert "best hour by = everybody's opens and clicks" in said[1]
    for line in said:
        assert "opened near that hour = 5, opened in all = 5" in line


def test_a_simulation_sends_at_the_same_hours(world: World) -> None:
    people = [world.contact(), world.contact(timezone="Asia/Tokyo"), world.contact()]
    opened(world, dict(zip(people, (15, 21, 18), strict=True)))
    begun = world.now
    world.publish(BEST)
    for contact in (*people, world.contact()):
        world.event(contact, "Asked")
    world.live(2 * DAY)
    _, tally = simulate(world.database, BEST, begun, begun + 2 * DAY, processes=1)
    found = as_json(tally, {}, ["offer"])
    rows = world.execute("select accepted_at from messages where step_id = 'offer'")
    assert found["messages"] == len(rows) == 4
    assert {int(hour): count for hour, count in found["by_hour"].items() if count} == {
        hour: sum(at.hour == hour for (at,) in rows) for hour in {at.hour for (at,) in rows}
    }
    assert found["by_step"]["offer"]["held"] == world.log()["offer:held"]
