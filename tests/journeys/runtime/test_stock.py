"""Stock journeys, added and published as they are, on the real run: their letters arrive and say what they should."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from typing import Any

import pytest

from journeys.decide.split import is_held_out
from journeys.publish import publish
from tests.journeys.runtime.world import DAY, HOUR, World
from tests.smtp import Receiver
from webapp import library


@pytest.fixture(autouse=True)
def kept(receiver: Receiver) -> Iterator[None]:
    """The receiver keeps what it gets."""
    receiver.keep = True
    receiver.messages.clear()
    yield
    receiver.keep = False


def added(world: World, name: str) -> None:
    """The stock journey, live."""
    with world.database.transaction() as session:
        library.add(session, library.find(name), library.brand("https://shop.example"), world.now)
        publish(session, library.find(name).text, world.now, "test")


def customer(world: World, name: str, **values: Any) -> int:
    """Somebody who is not held out of a stock journey."""
    holdout = library.find(name).journey.holdout
    return next(one for one in iter(lambda: world.contact(**values), 0) if not is_held_out(name, one, holdout))


def letters(world: World) -> list[str]:
    """The texts of the letters that arrived, with their subjects; the box is empty then."""
    found = []
    for _, raw in world.receiver.messages:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        body = message.get_body(("plain",))
        found.append(f"{message['Subject']}\n{body.get_content() if body else ''}")
    world.receiver.messages.clear()
    return found


def test_a_cart_is_remembered_with_what_was_in_it_until_it_is_ordered(world: World) -> None:
    added(world, "abandoned-cart")
    ann, ben = customer(world, "abandoned-cart", first_name="Ann"), customer(world, "abandoned-cart")
    items = [{"name": "Kochere", "price": 14.5, "quantity": 2}]
    for person in (ann, ben):
        world.event(person, "Checkout Started", cart_id=f"c{person}", total=29, currency="EUR", items=items)
    world.live(HOUR / 2)
    world.event(ben, "Order Completed", total=29)
    world.live(3 * HOUR)
    [letter] = letters(world)
    assert "Hello Ann" in letter and "Kochere × 2 €14.50" in letter and "Total €29.00" in letter
    world.live(4 * DAY)
    [last] = letters(world)
    assert last.startswith("One last note about your basket")
    assert [status for person in (ann, ben) for status in world.statuses(person)] == ["completed", "converted"]


def test_a_birthday_is_kept_and_the_next_one_too(world: World) -> None:
    added(world, "birthday")
    ann = customer(world, "birthday", first_name="Ann", next_birthday=str((world.now + 3 * DAY).date()))
    world.live(2 * DAY)
    assert letters(world) == []
    world.live(13 * DAY)
    first, second = letters(world)
    assert first.startswith("Happy birthday, Ann") and "BIRTHDAY" in first and "still unopened" in second
    world.change(ann, next_birthday=str((world.now + 2 * DAY).date()))
    world.live(3 * DAY)
    assert len(letters(world)) == 1


def test_later_asks_again_and_enough_ends_it(world: World) -> None:
    added(world, "replenishment")
    ann = customer(world, "replenishment")
    world.event(ann, "Order Completed", order_id="o-1", total=20, refillable=True)
    world.live(26 * DAY)
    assert len(letters(world)) == 1
    world.event(ann, "Email Link Clicked", content="refill-soon", link="https://shop.example/reorder/later")
    world.live(15 * DAY)
    assert len(letters(world)) == 1
    world.event(ann, "Email Link Clicked", content="refill-soon", link="https://shop.example/reorder/enough")
    world.live(30 * DAY)
    assert letters(world) == [] and world.statuses(ann) == ["exited"]
