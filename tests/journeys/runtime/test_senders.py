"""`from` in journeys: a step's own, else the journey's; a name that is none does not publish."""

from __future__ import annotations

import pytest

from engine.identities import store
from engine.identities.store import Form
from engine.identities.values import House
from journeys.publish import Refused
from tests.journeys.runtime.world import World, journey

STEPS = """\
- email: hi
  id: one
- email: hi
  id: two
  from: club
- email: hi
  id: three
  from: none
"""
FRAME = "send: {from: shop}\n"


def test_a_message_is_from_whom_its_step_or_its_journey_names(world: World) -> None:
    with world.database.transaction() as session:
        for slug in ("shop", "club"):
            form = Form(slug=slug, name=slug, address=f"a@{slug}.example")
            store.put(session, form, House("https://cairn.example"), "ann", world.now)
    world.publish(journey(STEPS, FRAME))
    world.event(world.contact(), "Signed Up")
    world.settle()
    assert world.execute("select step_id, sender from messages order by id") == [
        ("one", "shop"),
        ("two", "club"),
        ("three", None),
    ]


def test_an_identity_that_does_not_exist_is_refused_with_its_line(world: World) -> None:
    with pytest.raises(Refused, match="club"):
        world.publish(journey(STEPS))
