"""Unsubscribing, by button and by header."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from engine import workspace
from engine.contacts.consent import ConsentChange, record_consent
from engine.db import Database
from engine.urls import MessageUrls
from tests.engine.tracking.seeds import Seed, message
from tests.webapp.calling import SIGNER, Site, serving

NOW = dt.datetime.now(dt.UTC)
ONE_CLICK = b"List-Unsubscribe=One-Click"


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with serving(database) as opened:
        yield opened


def seed(site: Site, topic: str | None = None) -> tuple[Seed, str]:
    with site.database.transaction() as session:
        made = message(session, NOW, topic=topic)
    return made, MessageUrls("", SIGNER, made.id, made.origin_at).unsubscribe()


def states(site: Site) -> list[tuple[object, ...]]:
    return site.rows("select channel, topic, state from consent_states order by 1, 2")


def test_get_shows_a_button_and_changes_nothing(site: Site) -> None:
    _, path = seed(site, "news")
    with site.database.transaction() as session:
        workspace.save(session, sender_name="Ship & Shore <Ltd>")
    for method in ("GET", "HEAD", "GET"):
        answer = site.client.open(path, method=method)
        assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert '<form method="post"' in page
    assert "News" in page
    assert "Ship &amp; Shore &lt;Ltd&gt;" in page
    assert "person" not in page  # the address is masked
    assert states(site) == []
    assert site.rows("select count(*) from consent_events") == [(0,)]


def test_one_click_leaves_the_topic_at_once_without_login_or_redirect(site: Site) -> None:
    made, path = seed(site, "news")
    answer = site.client.post(path, data=ONE_CLICK, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert "Location" not in answer.headers
    assert states(site) == [("email", "news", "unsubscribed")]
    assert site.rows("select contact_id, source, action, ip from consent_events") == [
        (made.contact_id, "one-click", "unsubscribed", "127.0.0.1")
    ]
    assert site.rows("select contact_id, kind, names from change_inbox where kind = 'consent'") == [
        (made.contact_id, "consent", ["news"])
    ]


def test_one_click_may_be_multipart(site: Site) -> None:
    _, path = seed(site)
    assert site.client.post(path, data={"List-Unsubscribe": "One-Click"}, content_type="multipart/form-data").data == (
        b"You are unsubscribed.\n"
    )
    assert states(site) == [("email", "", "unsubscribed")]


def test_a_message_without_a_topic_leaves_the_channel(site: Site) -> None:
    _, path = seed(site)
    site.client.post(path, data=ONE_CLICK)
    assert states(site) == [("email", "", "unsubscribed")]


def test_the_button_leaves_the_topic_and_offers_everything(site: Site) -> None:
    _, path = seed(site, "news")
    page = site.client.post(path, data={"scope": "topic"}).get_data(as_text=True)
    assert "You are unsubscribed" in page
    assert "from everything" in page
    assert states(site) == [("email", "news", "unsubscribed")]
    page = site.client.post(path, data={"scope": "channel"}).get_data(as_text=True)
    assert "from everything" not in page
    assert states(site) == [("email", "", "unsubscribed"), ("email", "news", "unsubscribed")]
    assert "You are unsubscribed" in site.client.get(path).get_data(as_text=True)


def test_an_event_and_the_counter_say_which_message_it_was(site: Site) -> None:
    made, path = seed(site, "news")
    site.client.post(path, data=ONE_CLICK)
    [(name, properties, source)] = site.rows("select name, properties, source from events")
    assert (name, source) == ("Unsubscribed", "tracking")
    assert (properties["step"], properties["message"]) == ("hello", made.token)
    assert properties["journey"].startswith("trial-")
    assert properties["content"].startswith("welcome-")
    assert site.rows("select journey_id, step_id, channel, unsubscribes from message_rollups") == [
        (made.journey_id, "hello", "email", 1)
    ]


def test_a_second_time_changes_nothing(site: Site) -> None:
    _, path = seed(site, "news")
    for _ in range(3):
        assert site.client.post(path, data=ONE_CLICK).status_code == 200
    assert site.rows("select count(*) from consent_events") == [(1,)]
    assert site.rows("select count(*) from events") == [(1,)]
    assert site.rows("select sum(unsubscribes) from message_rollups") == [(1,)]


def test_who_subscribed_again_may_leave_again(site: Site) -> None:
    made, path = seed(site, "news")
    site.client.post(path, data=ONE_CLICK)
    with site.database.transaction() as session:
        back = ConsentChange(made.contact_id, "email", "subscribed", "form", "news")
        record_consent(session, [back], dt.datetime.now(dt.UTC))
    site.client.post(path, data=ONE_CLICK)
    assert states(site) == [("email", "news", "unsubscribed")]
    assert site.rows("select count(*) from events where name = 'Unsubscribed'") == [(2,)]


def test_every_post_counts_whatever_its_body(site: Site) -> None:
    for body in (b"", b"\xff\x00", b"scope=nonsense", b"x" * 100_000):
        _, path = seed(site)
        assert site.client.post(path, data=body).status_code == 200
    assert site.rows("select count(*) from consent_states where state = 'unsubscribed'") == [(4,)]


def test_an_erased_message_is_unknown(site: Site) -> None:
    _, path = seed(site)
    with site.database.transaction() as session:
        session.execute(text("delete from messages"))
    assert site.client.get(path).status_code == 404
    assert site.client.post(path, data=ONE_CLICK).status_code == 404


def test_other_methods_are_refused(site: Site) -> None:
    _, path = seed(site)
    assert site.client.put(path).status_code == 405
    assert site.client.delete(path).headers["Allow"] == "GET, HEAD, POST"


def test_who_has_left_may_say_why_and_say_it_again(site: Site) -> None:
    made, path = seed(site, "news")
    why = "select reason, words, contact_id from leaving_reasons"
    assert 'name="why"' not in site.client.get(path).get_data(as_text=True)
    site.client.post(path, data={"why": "too_many"})
    assert site.rows(why) == [] and states(site) == [], "who has not left is neither asked nor unsubscribed"
    page = site.client.post(path, data={"scope": "topic"}).get_data(as_text=True)
    assert page.count('name="why"') == 4
    site.client.post(path, data={"why": "bored"})
    assert site.rows(why) == []
    for reason, words in (("other", "x"), ("too_many", "Every <day>!\0 " + "x" * 900)):
        page = site.client.post(path, data={"why": reason, "words": words}).get_data(as_text=True)
        assert "Thank you for telling us." in page and 'name="why"' not in page
    assert site.rows(why) == [("too_many", ("Every <day>! " + "x" * 900)[:500], made.contact_id)]
    assert site.rows("select count(*) from consent_events") == [(1,)]


def test_the_page_is_written_from_right_to_left_where_its_language_is(site: Site) -> None:
    _, path = seed(site, "news")
    assert '<html lang="en" dir="ltr">' in site.client.get(path).get_data(as_text=True)
    page = site.client.get(f"{path}?lang=ar").get_data(as_text=True)
    assert '<html lang="ar" dir="rtl">' in page and "إلغاء الاشتراك" in page
    assert re.search(r'href="/p/[^"]+\?lang=ar"', page)
    assert '?lang=x"' not in site.client.get(f"{path}?lang=x").get_data(as_text=True)


def test_all_records_with_the_address_leave(site: Site) -> None:
    made, path = seed(site, "news")
    with site.database.transaction() as session:
        copy = "insert into contacts (external_id, email) select 'twin', upper(email) from contacts returning id"
        twin = session.execute(text(copy)).scalar_one()
    for _ in range(2):
        site.client.post(path, data=ONE_CLICK, content_type="application/x-www-form-urlencoded")
    query = "select contact_id, topic, proof is not null from consent_events order by id"
    assert site.rows(query) == [(made.contact_id, "news", False), (twin, "news", True)]
    assert site.rows("select count(*) from events where name = 'Unsubscribed'") == [(1,)]
