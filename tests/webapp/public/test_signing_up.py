"""Sign-up forms: hosted and embedded, with a wording, a trap for programs, and double opt-in."""

from __future__ import annotations

import time
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
from engine.tracking import form_fields, forms
from engine.tracking.form_fields import Field
from tests.webapp.calling import Site, serving
from webapp.public.signing_up import HASTE, MAILBOX_TRIES, TRIES, Tries, mailbox

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


def test_nobody_else_undoes_what_somebody_has_left_nor_learns_of_it(site: Site) -> None:
    first = send(site).get_data(as_text=True)
    with site.database.transaction() as session:
        [contact] = session.execute(text("select id from contacts")).scalars()
        record_consent(session, [ConsentChange(contact, "email", "unsubscribed", "link", "news")], clock.now(session))
    assert send(site).get_data(as_text=True) == first
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
    assert allowed.json is not None
    assert (allowed.json["success"], allowed.json["confirm"]) == (True, False)
    assert (allowed.json["message"], allowed.json["redirect"]) == ("See you & yours.", "")
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
    spellings = ("ann@x.example", "Ann@x.example")
    for number in range(MAILBOX_TRIES):
        assert send(site, first_name="Eve", city="Oslo", email=spellings[number % 2]).status_code == 200
    late = send(site, {"Accept": "application/json"})
    assert (late.status_code, late.headers["Retry-After"]) == (429, "600")
    assert late.json == {"success": False, "message": "Too many tries. Please come back later."}
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
        ({}, [Field("a", "Twice"), Field("a", "Twice")]),
        ({}, [Field("a", "No kind", kind="file")]),
        ({}, [Field("a", "No choices", kind="choice")]),
        ({"choose_topics": True}, []),
        ({"redirect": "javascript:alert(1)"}, []),
        ({"redirect": "https://x.example/ 'unsafe-inline'"}, []),
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
    send(site)
    assert site.rows(STATES) == [("news", "pending")]
    assert site.rows("select count(*) from suppressions") == [(1,)]


def change(site: Site, **values: Any) -> None:
    """Change the form, with its fields as they are unless `fields` says otherwise."""
    with site.database.transaction() as session:
        form = forms.find(session, "club")
        fields = values.pop("fields", forms.fields_of(form))
        for name, value in values.items():
            setattr(form, name, value)
        forms.save(session, form, fields)


def test_each_household_has_its_tries(site: Site) -> None:
    for number in range(TRIES):
        assert send(site, email=f"u{number}@x.example").status_code == 200
    assert send(site, email="last@x.example").status_code == 429


def test_a_mailbox_is_one_however_it_is_spelt() -> None:
    spellings = ("ann.bo@x.example", "AnnBo+1@X.example", " annbo+2@x.example")
    assert {mailbox(one) for one in spellings} == {"annbo@x.example"}
    assert mailbox("bob@x.example") != mailbox("ann@x.example")


def test_an_answer_in_no_time_is_asked_to_press_again(site: Site) -> None:
    now = time.time() * 1000
    hasty = send(site, opened=str(int(now)))
    assert (hasty.status_code, "press the button once more" in hasty.get_data(as_text=True)) == (422, True)
    assert site.rows("select count(*) from contacts") == [(0,)]
    for opened in (str(int(now - HASTE * 1000 - 500)), "", "x", "9" * 400, str(int(now + 3_600_000))):
        assert send(site, opened=opened).status_code == 200, opened


def test_answers_have_the_kind_of_their_field(site: Site) -> None:
    lines = ("seats:number = Seats", "born:date = Born", "dealer:box = Dealer", "size:choice = Size * | S | M",
             "utm_source:hidden =", "door:hidden = form")  # fmt: skip
    fields = [form_fields.parse(line) for line in lines]
    assert [form_fields.line(field) for field in fields] == list(lines)
    change(site, fields=fields)
    page = site.client.get("/f/club?utm_source=%22spring&size=M&email=eve@x.example").get_data(as_text=True)
    assert 'type="hidden" name="utm_source" value="&#34;spring"' in page
    assert "eve@x.example" not in page and "<option>M</option>" in page
    for wrong in ({"size": "XXL"}, {"size": ""}, {"size": "S", "seats": "nan"}, {"size": "S", "born": "2026-02-30"}):
        assert send(site, **wrong).status_code == 422, wrong
    assert send(site, size="M", seats="1,5", born="2001-02-03", dealer="1", utm_source="spring").status_code == 200
    assert site.rows("select attributes from contacts") == [
        ({"size": "M", "seats": 1.5, "born": "2001-02-03", "dealer": True, "utm_source": "spring", "door": "form"},)
    ]


def test_people_get_the_topics_that_they_tick(site: Site) -> None:
    with site.database.transaction() as session:
        session.execute(insert(Topic), [{"slug": "tips", "name": "Tips"}, {"slug": "jobs", "name": "Jobs"}])
    change(site, topics=["news", "tips"], choose_topics=True)
    page = site.client.get("/f/club").get_data(as_text=True)
    assert 'name="topics" value="tips">' in page and "jobs" not in page
    assert send(site).status_code == 422
    assert send(site, topics=["jobs"]).status_code == 422
    assert send(site, topics=["tips", "jobs"]).status_code == 200
    assert site.rows(STATES) == [("tips", "subscribed")]


def test_who_is_done_is_led_to_a_page_of_yours(site: Site) -> None:
    change(site, redirect="https://shop.example/thanks?a=1")
    answer = send(site)
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://shop.example/thanks?a=1")
    told = send(site, {"Accept": "application/json"})
    assert told.json is not None and told.json["redirect"] == "https://shop.example/thanks?a=1"
    policy = site.client.get("/f/club").headers["Content-Security-Policy"]
    assert "form-action 'self' https://shop.example;" in policy  # browsers hold redirects to it
    assert f"frame-ancestors {SHOP}" in policy


def test_a_form_that_none_may_embed_is_framed_by_none(site: Site) -> None:
    change(site, origins=[])
    headers = site.client.get("/f/club").headers
    assert headers["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_address_and_number_are_asked_each_by_itself(site: Site) -> None:
    double(site)
    change(site, channel="both")
    assert "by the email, and by the text" in send(site, phone="+4915112345678").get_data(as_text=True)
    assert send(site, phone="", email="bob@x.example").status_code == 200
    assert send(site, phone="123", email="cid@x.example").status_code == 422
    asked = "select c.email, c.phone, r.channel from consent_requests r join contacts c on c.id = r.contact_id order by"
    assert site.rows(f"{asked} c.email, r.channel") == [
        ("ann@x.example", "+4915112345678", "email"),
        ("ann@x.example", "+4915112345678", "sms"),
        ("bob@x.example", None, "email"),
    ]


def test_nobody_hangs_a_number_of_theirs_on_somebody_elses_address(site: Site) -> None:
    change(site, channel="both")
    with site.database.transaction() as session:
        session.execute(insert(Contact), {"email": "bob@x.example", "attributes": {}})
    send(site, email="bob@x.example", phone="+4915112345678")
    assert site.rows("select email, phone from contacts order by id") == [
        ("bob@x.example", None), (None, "+4915112345678"),
    ]  # fmt: skip


def test_the_script_of_embedded_forms_is_open_to_other_sites(site: Site) -> None:
    answer = site.client.get("/f/-/form.js")
    assert answer.content_type.startswith("text/javascript")
    assert "max-age" in answer.headers["Cache-Control"]
