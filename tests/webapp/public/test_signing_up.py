"""Sign-up forms: hosted and embedded, with a wording, a trap for programs, and double opt-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, text
from werkzeug.test import TestResponse

from engine import clock
from engine.contacts.consent import ConsentChange, record_consent, suppress
from engine.contacts.topics import word
from engine.db import Database
from engine.errors import CairnError
from engine.model import Contact, Form, Topic
from engine.tracking import forms
from engine.tracking.forms import Field
from tests.webapp.calling import Site, serving
from webapp.public.signing_up import TRIES, Tries

SHOP = "https://shop.example"
STATES = "select topic, state from consent_states order by 1"


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with database.transaction() as session:
        session.execute(insert(Topic), {"slug": "news", "name": "News"})
        word(session, "signup", "Send me <news>.", clock.now(session))
        made = Form(
            slug="club", title="The club", intro="", thanks="See you & yours.", topics=["news"], lists=["club"],
            origins=[SHOP], wording="signup", double_opt_in=False,
        )  # fmt: skip
        forms.save(session, made, [Field("first_name", "First name", True), Field("city", "City")])
    with serving(database) as opened:
        yield opened


def send(site: Site, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
    body = {"email": "ann@x.example", "first_name": "Ann", "agree": "1", "wording": "signup@1", "website": ""} | more
    return site.client.post("/f/club", data=body, headers=headers or {})


def double(site: Site) -> None:
    with site.database.transaction() as session:
        session.execute(text("update forms set double_opt_in = true"))


def test_get_shows_the_form_and_changes_nothing(site: Site) -> None:
    answer = site.client.get("/f/club?email=ann@x.example")
    page = answer.get_data(as_text=True)
    assert "Send me &lt;news&gt;." in page
    assert 'name="wording" value="signup@1"' in page
    assert "<script" not in page
    assert site.client.get("/f/nothing").status_code == 404
    assert site.client.put("/f/club").status_code == 405
    assert site.rows("select count(*) from contacts") == [(0,)]
    assert "Inscr" not in page
    assert "S’inscrire" in site.client.get("/f/club?lang=fr").get_data(as_text=True)


def test_a_submission_is_a_contact_with_consent_and_its_proof(site: Site) -> None:
    page = send(site, city="Oslo").get_data(as_text=True)
    assert "See you &amp; yours." in page
    assert site.rows("select email, attributes from contacts") == [
        ("ann@x.example", {"first_name": "Ann", "city": "Oslo"})
    ]
    assert site.rows(STATES) == [("news", "subscribed")]
    assert site.rows("select source, wording, length(wording_hash), lawful_basis, ip from consent_events") == [
        ("form club", "signup@1", 64, "consent", "127.0.0.1")
    ]
    assert site.rows("select count(*) from list_memberships") == [(1,)]


def test_with_double_opt_in_everything_waits_for_the_owner(site: Site) -> None:
    double(site)
    assert "confirm your subscription" in send(site).get_data(as_text=True)
    assert site.rows(STATES) == [("news", "pending")]
    assert site.rows("select count(*) from list_memberships") == [(0,)]
    assert site.rows("select transactional, state from messages") == [(True, "queued")]
    assert site.rows("select source, wording, lists from consent_requests") == [("form club", "signup@1", ["club"])]


def test_nobody_else_undoes_what_somebody_has_left(site: Site) -> None:
    send(site)
    with site.database.transaction() as session:
        [contact] = session.execute(text("select id from contacts")).scalars()
        record_consent(session, [ConsentChange(contact, "email", "unsubscribed", "link", "news")], clock.now(session))
    assert "confirm your subscription" in send(site).get_data(as_text=True)
    assert site.rows(STATES) != [("news", "subscribed")]
    assert site.rows("select transactional, state from messages") == [(True, "queued")]


def test_what_was_shown_is_what_is_stored(site: Site) -> None:
    with site.database.transaction() as session:
        word(session, "signup", "Send me more news.", clock.now(session))
        word(session, "other", "Sell my data.", clock.now(session))
    for number, (shown, stored) in enumerate((("signup@1", "signup@1"), ("other@1", "signup@2"), ("", "signup@2"))):
        send(site, email=f"u{number}@x.example", wording=shown)
        [(found,)] = site.rows("select wording from consent_events order by id desc limit 1")
        assert found == stored


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"email": "nonsense"}, "This is no email address."),
        ({"email": ""}, "This is no email address."),
        ({"agree": ""}, "Please agree first."),
        ({"first_name": " "}, "Please fill in this field."),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(site: Site, more: dict[str, str], says: str) -> None:
    answer = send(site, city="Oslo & more", **more)
    assert answer.status_code == 422
    assert says in answer.get_data(as_text=True)
    assert 'value="Oslo &amp; more"' in answer.get_data(as_text=True)
    told = send(site, {"Accept": "application/json", "Accept-Language": "de"}, **more)
    assert (told.status_code, told.json["success"]) == (422, False)  # type: ignore[index]
    assert told.json["message"] != says  # type: ignore[index]
    assert site.rows("select count(*) from contacts") == [(0,)]


def test_a_program_that_fills_in_everything_is_thanked_and_forgotten(site: Site) -> None:
    assert "See you" in send(site, website="https://spam.example").get_data(as_text=True)
    assert site.rows("select count(*) from contacts") == [(0,)]


def test_only_sites_that_are_allowed_may_embed_it(site: Site) -> None:
    wanted = {"Accept": "application/json"}
    allowed = send(site, wanted | {"Origin": SHOP})
    assert allowed.json == {"success": True, "confirm": False, "message": "See you & yours."}
    assert allowed.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Access-Control-Allow-Credentials" not in allowed.headers
    for origin in ("https://evil.example", "null", SHOP + ".evil.example", "http://shop.example"):
        answer = send(site, wanted | {"Origin": origin}, email="eve@x.example")
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert send(site, {"Origin": "http://localhost"}).status_code == 200  # our own page
    assert site.rows("select count(*) from contacts") == [(1,)]


def test_a_stranger_neither_overwrites_nor_floods(site: Site) -> None:
    double(site)
    with site.database.transaction() as session:
        session.execute(insert(Contact), {"email": "Ann@x.example", "attributes": {"first_name": "Annabel"}})
    for _ in range(TRIES):
        assert send(site, first_name="Eve", city="Oslo").status_code == 200
    late = send(site)
    assert (late.status_code, late.headers["Retry-After"]) == (429, "600")
    assert site.rows("select attributes from contacts") == [({"first_name": "Annabel", "city": "Oslo"},)]
    assert site.rows("select count(*) from messages") == [(3,)]


def test_tries_count_by_ipv4_address_and_by_ipv6_network() -> None:
    def last(*addresses: str) -> bool:
        tries = Tries(clock=lambda: 0.0)
        return [tries.allowed(addresses[number % len(addresses)]) for number in range(TRIES + 1)][-1]

    assert not last("2001:db8::1", "2001:db8::ffff:0:1", "2001:db8:0:0:8::")
    assert last("2001:db8::1", "2001:db8:0:1::1")
    assert not last("192.0.2.1", "::ffff:192.0.2.1")
    assert last("::ffff:192.0.2.1", "::ffff:192.0.2.2")
    assert not last("fe80::1%eth0") and not last("")


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"slug": "No"}, []),
        ({"topics": ["nothing"]}, []),
        ({"wording": "nothing"}, []),
        ({"origins": ["https://x.example/path"]}, []),
        ({"origins": ["*"]}, []),
        ({}, [Field("email", "Again")]),
        ({}, [Field("a b", "Blank")]),
        ({}, [Field(f"f{n}", "Many") for n in range(21)]),
    ],
)
def test_forms_that_cannot_be_are_refused(database: Database, values: dict[str, Any], fields: list[Field]) -> None:
    start = {"slug": "ok", "title": "Ok", "topics": [], "lists": [], "origins": []}
    with pytest.raises(CairnError), database.transaction() as session:
        forms.save(session, Form(**(start | values)), fields)


def test_an_address_that_can_be_no_form_is_not_found(database: Database) -> None:
    with serving(database) as site:
        for path in ("/f/%00", "/f/a%00b", "/f/%ff", "/f/" + "a" * 5000):
            assert site.client.get(path).status_code == 404, path
            assert site.client.post(path, data={"email": "ann@x.example"}).status_code == 404, path


def test_whoever_was_erased_is_asked_before_anything_is_sent_again(site: Site) -> None:
    with site.database.transaction() as session:
        suppress(session, "email", ["ann@x.example"], "unsubscribed", clock.now(session))
    assert "We have sent you an email" in send(site).get_data(as_text=True)
    assert site.rows(STATES) == [("news", "pending")]
    assert site.rows("select count(*) from suppressions") == [(1,)]
