"""A person answers an email, and the journey that waits for it goes on."""

from __future__ import annotations

from engine import clock
from engine.receipts.mail import Arrived, process, put
from engine.receipts.settle import settle
from engine.signing import signer
from tests.engine.receipts.mails import reply
from tests.journeys.runtime.world import HOUR, World, journey

STORY = journey(
    """
    - email: hello
      id: hello
    - wait_for: replied "hello"
      up_to: 3 days
      id: answer
    """,
    slug="story",
)


def test_an_answer_by_mail_moves_the_one_who_waits_for_it(world: World) -> None:
    world.publish(STORY)
    ann, bob = world.contact("ann", email="ann@x.example"), world.contact("bob", email="bob@x.example")
    for contact in (ann, bob):
        world.event(contact, "Signed Up")
    world.live(HOUR)
    [(token,)] = world.execute("select token from messages where contact_id = :id", id=ann)
    with world.database.transaction() as session:
        put(session, "lmtp", [Arrived(reply("ann@x.example", token))], clock.now(session))
        process(session, clock.now(session), signer())
        settle(session, clock.now(session), signer())
    world.live(HOUR)
    assert (world.statuses(ann), world.statuses(bob)) == (["completed"], ["active"])
