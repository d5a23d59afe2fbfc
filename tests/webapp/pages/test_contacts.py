"""The list of contacts and the timeline of one."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from engine import clock, users
from engine.contacts import suppressions
from engine.db import Database
from engine.model import AuditLog, Contact, Enrolment, EntryInbox, Event, Journey, StepLog, Suppression
from engine.settings import Settings
from engine.signing import signer
from journeys.publish import publish
from tests.journeys.runtime.world import journey
from tests.webapp.pages.conftest import at_work, post
from tests.webapp.pages.sample import Shop
from webapp.app import create_app
from webapp.pages.queries import timeline
from workers import pipeline

HTMX = {"HX-Request": "true"}


def names(page: str) -> list[str]:
    """The contacts that a list shows."""
    return re.findall(r'class="row-link" href="/contacts/[^"]+">([^<]+)<', page)


def test_the_list_pages_through_everybody_once(marketer: FlaskClient, shop: Shop) -> None:
    seen: list[str] = []
    address: str | None = "/contacts"
    while address:
        page = marketer.get(address).text
        seen += re.findall(r'class="row-link" href="/contacts/([^"]+)"', page)
        following = re.search(r'href="(/contacts\?after=\d+)"', page)
        address = following[1] if following else None
    assert len(seen) == len(set(seen)) == 140


@pytest.mark.parametrize("text", ["noor.novak139", "NOOR.NOVAK139@shop", "cus_1139", "  cus_1139 "])
def test_search_finds_by_the_beginning_of_email_and_external_id(marketer: FlaskClient, text: str) -> None:
    assert names(marketer.get("/contacts", query_string={"q": text}).text) == ["Noor Novak"]


def test_search_falls_back_to_names(marketer: FlaskClient) -> None:
    found = names(marketer.get("/contacts?q=lindq").text)
    assert found
    assert all("Lindqvist" in name for name in found)


@pytest.mark.parametrize("text", ["%", "_", "\\", "' or 1=1 --", "\0", "x" * 5000])
def test_search_takes_any_text_literally(marketer: FlaskClient, text: str) -> None:
    answer = marketer.get("/contacts", query_string={"q": text})
    assert answer.status_code == 200
    assert names(answer.text) == [] or not text.strip("\0")


def test_htmx_gets_the_rows_alone(marketer: FlaskClient) -> None:
    page = marketer.get("/contacts?q=cus_1139", headers=HTMX).text
    assert names(page) == ["Noor Novak"]
    assert "<html" not in page


def test_the_page_shows_profile_consent_and_segments(marketer: FlaskClient, shop: Shop) -> None:
    page = marketer.get(f"/contacts/{shop.contact}").text
    for text in ("noor.novak139@shop.example", "lifetime_value", "Email · product", "VIP customers"):
        assert text in page


def test_consent_of_no_use_is_not_shown_as_subscribed(
    marketer: FlaskClient, shop: Shop, shop_database: Database
) -> None:
    def panel() -> str:
        return marketer.get(f"/contacts/{shop.contact}").text.partition("consent-title")[2].partition("</section>")[0]

    assert 'state-good">Subscribed' in panel() and "suppressed" not in panel()
    with shop_database.transaction() as session:
        address = str(session.scalars(select(Contact.email).where(Contact.public_id == shop.contact)).one())
        key = signer().address_hmac("email", address)
        suppressions.add(session, "email", [(key, "hard_bounce")], "test", clock.now(session))
    assert "No email is sent to this address" in panel() and "hard bounce" in panel()
    assert 'state-good">Subscribed' not in panel() and "said: subscribed" in panel()
    with shop_database.transaction() as session:
        session.execute(delete(Suppression).where(Suppression.address_hmac == key))


def test_the_page_of_a_journey_tells_what_happened_there(marketer: FlaskClient, shop: Shop) -> None:
    page = marketer.get(f"/contacts/{shop.contact}").text
    address = re.search(rf'href="(/contacts/{shop.contact}/journeys/[^"]+)"', page)
    assert address
    told = marketer.get(address[1]).text
    for text in ("Why, or why not", "Entered 1 time", "timed out", "Is the address free of blocks?", "welcome-short"):
        assert text in told
    assert marketer.get(f"/contacts/{shop.contact}/journeys/nothing").status_code == 404


def test_the_timeline_tells_every_kind_of_thing(marketer: FlaskClient, shop: Shop) -> None:
    page = marketer.get(f"/contacts/{shop.contact}").text
    for text in (
        "Order Completed",
        "Email “welcome-short”",
        "See it as sent",
        "Timed out at",
        "by scanner, not counted",
    ):
        assert text in page
    for text in ("Goal of", "worth $84.50", "Entered segment", "Subscribed</strong> to email"):
        assert text in page


def test_older_pages_follow_without_gaps_or_repeats(shop_database: Database, shop: Shop) -> None:
    with shop_database.transaction() as session:
        contact_id = session.query(Contact.id).filter_by(public_id=shop.contact).scalar()
        pages = [timeline.read(session, contact_id, None)]
        while pages[-1].before:
            pages.append(timeline.read(session, contact_id, pages[-1].before))
        events = session.query(Event).filter_by(contact_id=contact_id).count()
    items = [item for page in pages for item in page.items]
    assert len(pages) > 1
    assert [item.at for item in items] == sorted((item.at for item in items), reverse=True)
    assert sum(item.kind == "event" for item in items) == events == 70
    assert sum(item.kind == "step" for item in items) == 4


def test_things_of_one_instant_stay_on_one_page() -> None:
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    items = [timeline.Item("event", at - dt.timedelta(hours=min(index, 30))) for index in range(60)]
    page = timeline._cut(items)
    assert len(page.items) == 60
    assert page.before is None


def test_load_older_brings_the_next_items(marketer: FlaskClient, shop: Shop) -> None:
    first = marketer.get(f"/contacts/{shop.contact}").text
    more = re.search(r'hx-get="([^"]+timeline[^"]+)"', first)
    assert more
    page = marketer.get(more[1].replace("&amp;", "&"), headers=HTMX).text
    assert "timeline-item" in page
    assert "<html" not in page


def test_an_attribute_cannot_smuggle_markup(marketer: FlaskClient, shop_database: Database) -> None:
    with shop_database.transaction() as session:
        contact = Contact(external_id="smuggler", attributes={"name": "<script>alert(1)</script>", "x": ["<b>"]})
        session.add(contact)
        session.flush()
        public_id = contact.public_id
    page = marketer.get(f"/contacts/{public_id}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    with shop_database.transaction() as session:
        session.delete(session.get_one(Contact, contact.id))


def test_an_exit_is_told_once_by_its_step(shop_database: Database) -> None:
    with shop_database.transaction() as session:
        contact = session.query(Contact).filter_by(external_id="cus_1001").one()
        journey = session.query(Journey).filter_by(slug="welcome").one()
        now = dt.datetime.now(dt.UTC)
        entry = Enrolment(
            journey_id=journey.id,
            version_id=journey.live_version_id,
            contact_id=contact.id,
            entry_key="left",
            status="exited",
            entered_at=now,
            trigger_occurred_at=now,
            trigger_received_at=now,
        )
        session.add(entry)
        session.flush()
        line = {"enrolment_id": entry.id, "contact_id": contact.id, "version_id": entry.version_id, "visit": 1}
        for step, at in (("out", now), ("", now), ("", now - dt.timedelta(hours=1))):
            session.add(StepLog(at=at, step_id=step, outcome="exited", **line))
        session.flush()
        items = timeline.read(session, contact.id, None).items
        told = [item.data["step_id"] for item in items if item.data.get("enrolment_id") == entry.id]
        assert told == ["out", ""]  # the exit step, and an exit rule an hour before


def test_a_contact_is_let_in_and_taken_out_by_hand(database: Database, built: None) -> None:
    app = create_app(database, None, Settings())
    with database.transaction() as session:
        for role in ("marketer", "viewer"):
            users.create(session, f"{role}@x.example", "a long password", role=role)
    marketer, viewer = (at_work(app, database, f"{role}@x.example") for role in ("marketer", "viewer"))
    story = journey("- wait: 9 days\n  id: rest", slug="by-hand", enter="api: true")
    with database.transaction() as session:
        publish(session, story, clock.now(session), "test")
        contact = Contact(external_id="hand")
        session.add(contact)
        session.flush()
        id_, path = contact.id, f"/contacts/{contact.public_id}/journeys/by-hand"
    assert "Let in" in marketer.get(path).text and "Let in" not in viewer.get(path).text
    assert post(viewer, path + "/enter").status_code == 403
    assert [post(marketer, path + "/enter", key="k").status_code for _ in range(2)] == [302, 302]
    with database.transaction() as session:
        assert session.query(EntryInbox).filter_by(contact_id=id_).count() == 1
    pipeline.advance(database)
    assert "Take out" in marketer.get(path).text and "Take out" not in viewer.get(path).text
    assert post(viewer, path + "/leave").status_code == 403
    assert [post(marketer, path + "/leave").status_code for _ in range(2)] == [302, 302]
    assert "removed" in marketer.get(path).text
    with database.transaction() as session:
        assert session.query(AuditLog).filter_by(action="take out").count() == 1
