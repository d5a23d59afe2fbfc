"""Double opt-in by text: from the form to the answer or the link, with what the local phone shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text
from werkzeug.test import TestResponse

from engine import clock, users
from engine.contacts.consent import suppress
from engine.contacts.topics import word
from engine.db import Database
from engine.model import Contact, Form, Topic
from engine.texts.incoming import Incoming, take
from engine.tracking import forms
from engine.tracking.form_fields import Field
from tests.webapp.calling import Site, mails, serving
from webapp.api.keys import CONSENT

NUMBER = "+4915112345678"
STATES = "select channel, topic, state from consent_states order by 1, 2"


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with database.transaction() as session:
        session.execute(insert(Topic), {"slug": "news", "name": "News"})
        word(session, "signup", "Text me news.", clock.now(session))
        made = Form(
            slug="club", title="The club", intro="", thanks="", topics=["news"], lists=["club"], origins=[],
            wording="signup", channel="sms", double_opt_in=True,
        )  # fmt: skip
        forms.save(session, made, [Field("first_name", "First name")])
    with serving(database) as opened:
        yield opened


def sign_up(site: Site, number: str = "0049 151 12345678", **more: Any) -> TestResponse:
    body = {"phone": number, "agree": "1", "wording": "signup@1", "website": ""} | more
    return site.client.post("/f/club", data=body, headers={"User-Agent": "browser"})


def texts(site: Site, home: Path) -> list[str]:
    """What the local phone got, after everything that is queued was sent."""
    mails(site, home)
    return [raw.decode() for (raw,) in site.rows("select raw from local_messages where channel = 'sms' order by id")]


def answer(site: Site, words: str, reference: str = "t1") -> str:
    with site.database.transaction() as session:
        return take(session, "phone", Incoming(reference, NUMBER, "SHOP", words), clock.now(session))


def test_the_form_asks_for_a_number(site: Site) -> None:
    page = site.client.get("/f/club").get_data(as_text=True)
    assert 'name="phone" type="tel"' in page and 'name="email"' not in page
    refused = sign_up(site, "0151 12345678")
    assert refused.status_code == 422 and "with its country code" in refused.get_data(as_text=True)
    assert site.rows("select count(*) from contacts") == [(0,)]


@pytest.mark.parametrize("words", ["YES", "Ja!", "sí", "oui"])
def test_an_answer_to_the_text_confirms_and_the_history_says_so(site: Site, tmp_path: Path, words: str) -> None:
    assert "We have sent you a text" in sign_up(site, first_name="Ann").get_data(as_text=True)
    assert site.rows(STATES) == [("sms", "news", "pending")]
    [asked] = texts(site, tmp_path)
    assert "reply YES" in asked and "https://cairn.example/y/" in asked
    assert "you get our texts now" in answer(site, words)
    assert site.rows(STATES) == [("sms", "", "subscribed"), ("sms", "news", "subscribed")]
    assert site.rows("select phone, attributes ->> 'first_name' from contacts") == [(NUMBER, "Ann")]
    assert site.rows("select slug from list_memberships m join lists l on l.id = m.list_id") == [("club",)]
    [(source, wording, proof)] = site.rows(
        "select source, wording, proof from consent_events where topic = 'news' and action = 'subscribed'"
    )
    assert (source, wording) == ("confirmation", "signup@1")
    assert proof["confirmed_by"] == "text" and proof["texted"] == words
    assert proof["requested_by"] == "form club" and proof["requested_user_agent"] == "browser"
    assert site.rows("select keyword from incoming_texts") == [("confirm",)]


def test_the_link_of_the_text_confirms_too(site: Site, tmp_path: Path) -> None:
    sign_up(site)
    [asked] = texts(site, tmp_path)
    found = re.search(r"https://cairn\.example(/y/[\w-]+)", asked)
    assert found
    page = site.client.get(found[1]).get_data(as_text=True)
    assert "…678" in page and NUMBER not in page
    assert site.rows(STATES) == [("sms", "news", "pending")]
    assert "You are subscribed" in site.client.post(found[1]).get_data(as_text=True)
    assert site.rows(STATES) == [("sms", "", "subscribed"), ("sms", "news", "subscribed")]
    [(proof,)] = site.rows("select proof from consent_events where topic = 'news' and action = 'subscribed'")
    assert proof["confirmed_by"] == "link" and "texted" not in proof


def test_without_a_question_ja_is_an_answer_like_any_other_and_other_words_confirm_nothing(
    site: Site, tmp_path: Path
) -> None:
    assert answer(site, "ja", "t0") == ""
    sign_up(site)
    texts(site, tmp_path)
    assert answer(site, "yes but only on Sundays") == ""
    assert site.rows(STATES) == [("sms", "news", "pending")]
    assert "unsubscribed" in answer(site, "STOP", "t2")
    assert ("sms", "", "unsubscribed") in site.rows(STATES)


def test_who_has_stopped_is_asked_and_is_back_by_a_yes(site: Site, tmp_path: Path) -> None:
    with site.database.transaction() as session:
        session.execute(insert(Contact), {"phone": NUMBER, "attributes": {"first_name": "Bo"}})
        suppress(session, "sms", [NUMBER], "unsubscribed", clock.now(session))
        session.execute(text("update forms set double_opt_in = false"))
    answer(site, "stop", "t0")
    sign_up(site, first_name="Mallory")
    assert site.rows("select attributes ->> 'first_name' from contacts") == [("Bo",)]
    assert len(texts(site, tmp_path)) == 1
    assert "you get our texts now" in answer(site, "Yes")
    assert ("sms", "", "subscribed") in site.rows(STATES) and site.rows("select from suppressions") == []


def test_a_number_is_asked_three_times_a_day_at_most(site: Site, tmp_path: Path) -> None:
    for _ in range(5):
        sign_up(site)
    assert len(texts(site, tmp_path)) == 3
    answer(site, "YES")
    assert site.rows("select count(*) from consent_requests where confirmed_at is null") == [(0,)]


def test_programs_may_have_a_number_asked(site: Site, tmp_path: Path) -> None:
    with site.database.transaction() as session:
        site.key = users.create_api_key(session, "server", (CONSENT,))
    body = {"phone": NUMBER, "channel": "sms", "state": "subscribed", "confirm": True}
    answered = site.post("/v1/consent", body)
    assert answered.json == {"success": True, "states": {"sms": "pending"}}
    assert len(texts(site, tmp_path)) == 1
    assert answer(site, "YES") != ""
    assert site.rows(STATES) == [("sms", "", "subscribed")]
    assert site.post("/v1/consent", body | {"phone": "12"}).status_code == 400
