"""The preference centre: topics and channels, breaks, tracking, languages."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, text

from engine import workspace
from engine.db import Database
from engine.model import Suppression, Topic
from engine.urls import MessageUrls
from tests.engine.tracking.seeds import Seed, message
from tests.webapp.calling import SIGNER, Site, serving

NOW = dt.datetime.now(dt.UTC)
ROWS = "select channel, topic, state from consent_states order by 1, 2"


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with database.transaction() as session:
        rows = [
            {"slug": "offers", "name": "Offers", "position": 1, "default_state": "unsubscribed"},
            {"slug": "news", "name": "News & Notes", "description": "Once a month.", "position": 0},
            {"slug": "hidden", "name": "Hidden", "public": False},
            {"slug": "old", "name": "Old", "archived_at": NOW},
        ]
        for row in rows:
            session.execute(insert(Topic), row)
    with serving(database) as opened:
        yield opened


def seed(site: Site, **more: Any) -> tuple[Seed, str]:
    with site.database.transaction() as session:
        made = message(session, NOW, **more)
    return made, MessageUrls("", SIGNER, made.id, made.origin_at).preferences()


def boxes(page: str) -> dict[str, bool]:
    """The boxes of a page and whether they are ticked."""
    return {key: bool(on) for key, on in re.findall(r'name="on" value="([^"]*)"( checked)?>', page)}


def save(site: Site, path: str, *on: str) -> str:
    """Send the form as a browser would, with these boxes ticked."""
    shown = list(boxes(site.client.get(path).get_data(as_text=True)))
    answer = site.client.post(path, data={"act": "save", "shown": shown, "on": list(on)})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_get_shows_what_is_offered_and_changes_nothing(site: Site) -> None:
    _, path = seed(site)
    for method in ("GET", "HEAD", "GET"):
        answer = site.client.open(path + "?act=leave&on=email:news", method=method)
        assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert boxes(page) == {"email:news": True, "email:offers": False, "tracking:": True}
    assert "News &amp; Notes" in page
    assert "Hidden" not in page
    assert "Old" not in page
    assert "person" not in page  # the address is masked
    assert "<script" not in page
    assert site.rows(ROWS) == []
    assert answer.headers["Cache-Control"] == "no-store"
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]


def test_what_is_saved_is_only_what_differs(site: Site) -> None:
    made, path = seed(site)
    page = save(site, path, "email:offers", "tracking:")
    assert boxes(page) == {"email:news": False, "email:offers": True, "tracking:": True}
    assert site.rows(ROWS) == [("email", "news", "unsubscribed"), ("email", "offers", "subscribed")]
    history = "select contact_id, action, source, lawful_basis, ip from consent_events order by topic"
    assert site.rows(history) == [
        (made.contact_id, "unsubscribed", "preferences", None, "127.0.0.1"),
        (made.contact_id, "subscribed", "preferences", "consent", "127.0.0.1"),
    ]
    assert site.rows("select name from events") == [("Unsubscribed",)]
    assert site.rows("select unsubscribes from message_rollups") == [(1,)]
    save(site, path, "email:offers", "tracking:")
    assert site.rows("select count(*) from consent_events") == [(2,)]
    assert site.rings


def test_what_was_not_shown_is_not_changed(site: Site) -> None:
    _, path = seed(site)
    site.client.post(path, data={"act": "save", "shown": ["email:offers"], "on": ["email:offers", "email:hidden", "x"]})
    assert site.rows(ROWS) == [("email", "offers", "subscribed")]


def test_everything_can_be_left_and_taken_up_again_by_name(site: Site) -> None:
    _, path = seed(site)
    page = site.client.post(path, data={"act": "leave"}).get_data(as_text=True)
    assert "unsubscribed from everything" in page
    assert site.rows(ROWS) == [("email", "", "unsubscribed")]
    assert boxes(page) == {"email:news": False, "email:offers": False, "tracking:": True}
    page = save(site, path, "email:offers", "tracking:")
    assert boxes(page) == {"email:news": False, "email:offers": True, "tracking:": True}
    assert site.rows(ROWS) == [
        ("email", "", "subscribed"),
        ("email", "news", "unsubscribed"),
        ("email", "offers", "subscribed"),
    ]


def test_text_messages_are_offered_where_there_is_a_number(site: Site) -> None:
    made, path = seed(site)
    with site.database.transaction() as session:
        session.execute(text("update contacts set phone = '+14155550100' where id = :id"), {"id": made.contact_id})
    page = site.client.get(path).get_data(as_text=True)
    assert boxes(page)["sms:news"] is False
    assert "…100" in page
    save(site, path, "email:news", "sms:news", "tracking:")
    assert site.rows("select topic, state from consent_states where channel = 'sms' order by 1") == [
        ("", "subscribed"),
        ("news", "subscribed"),
        ("offers", "unsubscribed"),
    ]


def test_who_comes_back_lifts_their_own_suppression_but_no_bounce(site: Site) -> None:
    for reason, barred in (("unsubscribed", 0), ("complaint", 1), ("hard_bounce", 1)):
        made, path = seed(site)
        with site.database.transaction() as session:
            address = session.execute(text("select email from contacts where id = :id"), {"id": made.contact_id})
            hmac = SIGNER.address_hmac("email", address.scalar_one())
            session.execute(insert(Suppression), {"address_hmac": hmac, "channel": "email", "reason": reason})
        site.client.post(path, data={"act": "leave"})
        page = save(site, path, "email:news", "tracking:")
        assert site.rows(f"select count(*) from suppressions where reason = '{reason}'") == [(barred,)]
        assert ("we no longer send there" in page) is bool(barred)


def test_a_break_stops_and_goes_on(site: Site) -> None:
    made, path = seed(site)
    page = site.client.post(path, data={"act": "pause", "days": "60"}).get_data(as_text=True)
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=60)
    assert f"until {until.date().isoformat()}" in page
    [(contact_id, stored)] = site.rows("select contact_id, until from consent_pauses where channel = 'email'")
    assert contact_id == made.contact_id
    assert abs(stored - until) < dt.timedelta(minutes=1)
    site.client.post(path, data={"act": "resume"})
    site.client.post(path, data={"act": "resume"})
    assert site.rows("select count(*) from consent_pauses") == [(0,)]
    assert site.rows("select action from consent_events order by id") == [("snoozed",), ("resumed",)]


def test_tracking_is_a_choice_of_its_own(site: Site) -> None:
    _, path = seed(site)
    page = save(site, path, "email:news")
    assert boxes(page)["tracking:"] is False
    assert site.rows(ROWS) == [("tracking", "", "unsubscribed")]
    assert site.rows("select count(*) from events") == [(0,)]  # nobody has left anything


def test_the_contacts_language_is_spoken_then_the_browsers(site: Site) -> None:
    made, path = seed(site)
    leaving = MessageUrls("", SIGNER, made.id, made.origin_at).unsubscribe()
    french = {"Accept-Language": "xx, fr-CA;q=0.9, en;q=0.1"}
    assert "Vos préférences" in site.client.get(path, headers=french).get_data(as_text=True)
    with site.database.transaction() as session:
        workspace.save(session, sender_name="Käse & Co")
        session.execute(text("""update contacts set locale = 'es-MX', attributes = '{"language": "de"}'"""))
    page = site.client.get(path, headers=french).get_data(as_text=True)
    assert '<html lang="de" ' in page
    assert "Wählen Sie aus, was Käse &amp; Co Ihnen schickt." in page
    assert "Von Käse &amp; Co abmelden?" in site.client.get(leaving, headers=french).get_data(as_text=True)
    assert "Sus preferencias" in site.client.get(path + "?lang=es").get_data(as_text=True)


def test_the_page_to_unsubscribe_leads_to_the_choices(site: Site) -> None:
    made, path = seed(site)
    page = site.client.get(MessageUrls("", SIGNER, made.id, made.origin_at).unsubscribe()).get_data(as_text=True)
    assert f'href="{path}"' in page


@pytest.mark.parametrize("purpose", ["unsubscribe", "view", "open", "confirm"])
def test_a_token_for_something_else_opens_nothing(site: Site, purpose: str) -> None:
    made, path = seed(site)
    urls = MessageUrls("", SIGNER, made.id, made.origin_at)
    token = SIGNER.tokens(made.id, urls.origin_us, ((purpose, 0),))[0]
    for answer in (site.client.get("/p/" + token), site.client.post("/p/" + token, data={"act": "leave"})):
        assert answer.status_code == 404
    assert site.client.put(path).status_code == 405
    assert site.rows(ROWS) == []


@pytest.mark.parametrize(
    "body", [b"", b"\xff\x00=%zz", b"act=leave%00", b"act=pause&days=99999999999", b"on=x&" * 9000]
)
def test_nonsense_changes_no_consent(site: Site, body: bytes) -> None:
    _, path = seed(site)
    answer = site.client.post(path, data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert site.rows(ROWS) == []
