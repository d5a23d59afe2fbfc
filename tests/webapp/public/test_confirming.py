"""Double opt-in, from the call to the confirmed subscription, with the mail as a server took it."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from engine import clock, users
from engine.contacts.topics import word
from engine.db import Database
from engine.model import Topic
from tests.webapp.calling import Site, mails, serving
from webapp.api.keys import CONSENT, RETRY

ROWS = "select channel, topic, state from consent_states order by 1, 2"


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with database.transaction() as session:
        session.execute(insert(Topic), {"slug": "news", "name": "News", "double_opt_in": True})
        session.execute(insert(Topic), {"slug": "tips", "name": "Tips", "double_opt_in": False})
        word(session, "signup", "Send me news <weekly>.", clock.now(session))
        key = users.create_api_key(session, "server", (CONSENT,))
    with serving(database) as opened:
        opened.key = key
        yield opened


def subscribe(site: Site, **more: Any) -> tuple[int, Any]:
    body = {"email": "ann@x.example", "state": "subscribed", "topics": ["news"], "wording": "signup", "ip": "192.0.2.9"}
    answer = site.post("/v1/consent", body | more)
    return answer.status_code, answer.json


def link(mail: str) -> str:
    found = re.search(r"https://cairn\.example(/y/[\w-]+)", mail)
    assert found, mail
    return found[1]


def test_a_subscription_holds_once_it_is_confirmed(site: Site, tmp_path: Path) -> None:
    assert subscribe(site) == (200, {"success": True, "states": {"email:news": "pending"}})
    [mail] = mails(site, tmp_path)
    assert "Subject: Please confirm your subscription" in mail
    assert "/o/" not in mail  # nobody is followed before they agreed
    path = link(mail)
    for method in ("GET", "HEAD", "GET"):
        answer = site.client.open(path, method=method)
    page = answer.get_data(as_text=True)
    assert "News" in page
    assert "Send me news &lt;weekly&gt;." in page
    assert "ann@" not in page
    assert site.rows(ROWS) == [("email", "news", "pending")]
    site.rings.clear()
    assert "You are subscribed" in site.client.post(path).get_data(as_text=True)
    assert "You are subscribed" in site.client.post(path).get_data(as_text=True)
    assert site.rows(ROWS) == [("email", "news", "subscribed")]
    [asked, confirmed] = site.rows(
        "select action, source, wording, length(wording_hash), ip, proof->>'requested_ip', lawful_basis "
        "from consent_events order by id"
    )
    assert asked == ("requested", "api", "signup@1", 64, "192.0.2.9", None, "consent")
    assert confirmed == ("subscribed", "confirmation", "signup@1", 64, "127.0.0.1", "192.0.2.9", "consent")


def test_a_link_that_is_too_old_confirms_nothing(site: Site, tmp_path: Path) -> None:
    subscribe(site)
    path = link(mails(site, tmp_path)[0])
    with site.database.transaction() as session:
        session.execute(text("update consent_requests set expires_at = now()"))
    assert "too old" in site.client.get(path).get_data(as_text=True)
    assert "too old" in site.client.post(path).get_data(as_text=True)
    assert site.rows(ROWS) == [("email", "news", "pending")]


def test_nobody_can_be_flooded_and_a_refusal_stays_until_the_owner_confirms(site: Site, tmp_path: Path) -> None:
    subscribe(site, topics=[], state="unsubscribed", wording="")
    for _ in range(5):
        assert subscribe(site)[0] == 200
    assert site.rows(ROWS) == [("email", "", "unsubscribed"), ("email", "news", "pending")]
    sent = mails(site, tmp_path)
    assert len(sent) <= 3
    assert site.rows("select count(*) from consent_requests") == [(3,)]
    site.client.post(link(sent[0]))
    assert site.rows(ROWS) == [
        ("email", "", "subscribed"),
        ("email", "news", "subscribed"),
        ("email", "tips", "unsubscribed"),  # nobody asked for that one
    ]


def test_topics_say_whether_they_need_a_confirmation_and_the_call_may_overrule(site: Site) -> None:
    assert subscribe(site, topics=["tips"])[1]["states"] == {"email:tips": "subscribed"}
    assert subscribe(site, topics=["news"], confirm=False)[1]["states"] == {"email:news": "subscribed"}
    assert subscribe(site, email="bob@x.example", topics=["tips"], confirm=True)[1]["states"] == {
        "email:tips": "pending"
    }


def test_the_mail_speaks_the_contacts_language(site: Site, tmp_path: Path) -> None:
    subscribe(site)
    with site.database.transaction() as session:
        session.execute(text("update contacts set locale = 'fr-FR'"))
        session.execute(text("delete from messages"))
    subscribe(site)
    [mail] = mails(site, tmp_path)
    assert "Oui, m’inscrire" in mail
    assert site.rows("select slug from contents order by 1") == [
        ("confirm-subscription-en",),
        ("confirm-subscription-fr",),
    ]


def test_calls_that_make_no_sense_are_told_why(site: Site) -> None:
    for more, status in (
        ({"state": "perhaps"}, 400), ({"channel": "fax"}, 400), ({"topics": ["none"]}, 404), ({"topics": "news"}, 400),
        ({"basis": "implied"}, 400), ({"basis": "implied", "expires": "soon"}, 400), ({"wording": "none"}, 404),
        ({"email": ""}, 400), ({"email": 5}, 400), ({"ip": "\x00" * 9}, 400),
    ):  # fmt: skip
        found = subscribe(site, **more)
        assert found[0] == status, (more, found)
    assert site.client.post("/v1/consent", data=b"{}").status_code == 401
    with site.database.transaction() as session:
        site.key = users.create_api_key(session, "of a web page")
    time.sleep(RETRY)
    assert subscribe(site, confirm=False)[0] == 403, "a key that everybody can read undoes no refusal"
    assert site.client.get("/v1/consent").status_code == 405


def test_implied_consent_comes_with_its_end(site: Site) -> None:
    end = (dt.datetime.now(dt.UTC) + dt.timedelta(days=180)).date().isoformat()
    assert subscribe(site, topics=["tips"], basis="implied", expires=end)[1]["states"] == {"email:tips": "subscribed"}
    [(expires,)] = site.rows("select expires_at from consent_states")
    assert expires.date().isoformat() == end
