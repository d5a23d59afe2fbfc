"""Topics and wordings, the history of a contact's consent, and what administrators do with a person's data."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, text

from engine.contacts.consent import ConsentChange, record_consent, suppress
from engine.db import Database
from engine.model import AuditLog, Contact, Suppression
from tests.webapp.pages import sample
from tests.webapp.pages.conftest import post

SignIn = Callable[[str], FlaskClient]
People = Callable[[str], tuple[int, str]]


@pytest.fixture
def people(shop_database: Database) -> Iterator[People]:
    """Makes contacts that are gone after the test, as the shop is everybody's."""
    yield partial(person, shop_database)
    with shop_database.transaction() as session:
        session.execute(delete(Contact).where(Contact.email.like("%@forget.example")))


def person(database: Database, name: str) -> tuple[int, str]:
    with database.transaction() as session:
        made = Contact(external_id=name, email=f"{name}@forget.example")
        session.add(made)
        session.flush()
        return made.id, made.public_id


def test_a_topic_is_made_changed_and_archived(marketer: FlaskClient) -> None:
    answer = post(marketer, "/topics/-/new", name="Sale & offers", description="Twice a month.", public="1")
    assert answer.status_code == 302
    page = marketer.get("/topics").text
    assert "Sale &amp; offers" in page
    assert "does not get it" in page
    again = post(marketer, "/topics/-/new", name="Sale & offers")
    assert again.status_code == 422
    assert "There is such a topic already." in again.text
    post(marketer, "/topics/sale-offers", name="Sales", subscribed="1", double_opt_in="1", position="3")
    page = marketer.get("/topics/sale-offers").text
    assert 'value="Sales"' in page
    assert 'name="public" value="1">' in page
    assert 'name="double_opt_in" value="1" checked>' in page
    post(marketer, "/topics/sale-offers/archive")
    assert "Bring it back" in marketer.get("/topics/sale-offers").text
    assert post(marketer, "/topics/sale-offers", name=" ").status_code == 422
    assert marketer.get("/topics/nothing").status_code == 404


def test_a_wording_gets_a_version_for_each_text(marketer: FlaskClient) -> None:
    for words in ("Send me offers.", "Send me offers.", "Send me many offers."):
        post(marketer, "/topics/-/wordings", name="Checkout", text=words)
    page = marketer.get("/topics").text
    assert "checkout@1" in page
    assert "checkout@2" in page
    assert "checkout@3" not in page


def test_the_timeline_shows_the_proof_of_a_consent(
    marketer: FlaskClient, shop_database: Database, people: People
) -> None:
    contact_id, public_id = people("proven")
    said = ConsentChange(
        contact_id, "email", "subscribed", "confirmation", "news", lawful_basis="consent", wording="signup@2",
        wording_hash="ab" * 32, ip="192.0.2.44", proof={"requested_ip": "192.0.2.43"},
    )  # fmt: skip
    with shop_database.transaction() as session:
        record_consent(session, [said], dt.datetime.now(dt.UTC))
    page = marketer.get(f"/contacts/{public_id}").text
    for words in ("Subscribed</strong> to", "signup@2", "ab" * 32, "192.0.2.44", "192.0.2.43"):
        assert words in page
    assert "Erase this person" not in page


def test_only_administrators_download_and_erase(
    sign_in: SignIn, shop_database: Database, marketer: FlaskClient
) -> None:
    _, public_id = person(shop_database, "forgotten")
    assert marketer.get(f"/contacts/{public_id}/export").status_code == 403
    assert post(marketer, f"/contacts/{public_id}/erase", word="erase").status_code == 403
    admin = sign_in(sample.ADMIN)
    answer = admin.get(f"/contacts/{public_id}/export")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert json.loads(answer.text)["profile"][0]["email"] == "forgotten@forget.example"
    assert post(admin, f"/contacts/{public_id}/erase", word="no").status_code == 422
    assert admin.get(f"/contacts/{public_id}").status_code == 200
    assert post(admin, f"/contacts/{public_id}/erase", word="erase").status_code == 302
    assert admin.get(f"/contacts/{public_id}").status_code == 404
    assert post(admin, f"/contacts/{public_id}/erase", word="erase").status_code == 404


def test_a_form_is_made_on_a_page(marketer: FlaskClient) -> None:
    post(marketer, "/topics/-/new", name="Club letter", public="1")
    made = post(
        marketer, "/forms/-/new", title="The club", fields="first_name = First name *\ncity = City", lists="club",
        topics="club-letter", origins="https://shop.example", double_opt_in="1",
    )  # fmt: skip
    assert made.status_code == 302
    page = marketer.get("/forms/the-club").text
    assert "first_name = First name *" in page
    assert 'value="club-letter" checked' in page
    assert "/f/the-club" in marketer.get("/forms").text
    again = post(marketer, "/forms/-/new", title="The club")
    assert (again.status_code, "there is such a form already" in again.text) == (422, True)
    wrong = post(marketer, "/forms/the-club", title="The club", origins="shop.example", thanks="Kept as typed")
    assert (wrong.status_code, "Kept as typed" in wrong.text) == (422, True)
    assert "https://shop.example" in marketer.get("/forms/the-club").text
    post(marketer, "/forms/the-club", title="The new club", double_opt_in="")
    page = marketer.get("/forms/the-club").text
    assert 'name="double_opt_in" value="1">' in page
    assert 'value="The new club"' in page
    post(marketer, "/forms/the-club/archive")
    assert "Bring it back" in marketer.get("/forms/the-club").text
    assert marketer.get("/forms/nothing").status_code == 404
    post(marketer, "/forms/the-club", title="The new club", channel="sms", double_opt_in="1")
    assert '<option value="sms" selected>' in marketer.get("/forms/the-club").text
    listed = marketer.get("/forms").text
    assert "all texts" in listed and "confirm by text" in listed
    assert post(marketer, "/forms/the-club", title="The new club", channel="fax").status_code == 422


def test_one_page_shows_what_contacts_agreed_to(marketer: FlaskClient, shop_database: Database, people: People) -> None:
    post(marketer, "/topics/-/new", name="Counted letter", public="1")
    said = [("yes", "subscribed"), ("also", "subscribed"), ("no", "unsubscribed"), ("asked", "requested")]
    with shop_database.transaction() as session:
        words = [ConsentChange(people(name)[0], "email", word, "form", "counted-letter") for name, word in said]
        record_consent(session, words, dt.datetime.now(dt.UTC))
    for path in ("/consent", "/topics"):
        row = marketer.get(path).text.split(">counted-letter<")[1].split("</tr>")[0]
        assert re.findall(r'class="num"[^>]*>(\d+)<', row) == ["2", "1", "1", "0"]
    page = marketer.get("/consent").text
    assert 'action="/consent/suppressions"' not in page and 'action="/consent/retention"' not in page
    for path in ("/consent/suppressions", "/consent/retention"):
        assert post(marketer, path, address="a@x.example", channel="email", why="x").status_code == 403


def test_administrators_suppress_an_address_with_a_reason(
    sign_in: SignIn, shop_database: Database, marketer: FlaskClient
) -> None:
    admin, path = sign_in(sample.ADMIN), "/consent/suppressions"
    for address, channel, why in (("nobody", "email", "x"), ("a@left.example", "email", ""), ("0171 2345", "sms", "x")):
        answer = post(admin, path, address=address, channel=channel, why=why)
        assert answer.status_code == 422 and "Nothing is suppressed." in answer.text
    assert post(admin, path, address="A@left.example", channel="email", why="Called us").status_code == 302
    assert "a@left.example" not in marketer.get("/consent").text
    assert "is left alone on email: manual" in marketer.get("/deliverability?address=a@left.example").text
    with shop_database.transaction() as session:
        entry = session.scalars(select(AuditLog).order_by(AuditLog.id.desc()).limit(1)).one()
        assert (entry.actor, entry.detail["why"]) == (sample.ADMIN, "Called us")
        session.execute(delete(Suppression))


def test_administrators_say_how_long_data_is_kept(sign_in: SignIn, marketer: FlaskClient) -> None:
    admin, path = sign_in(sample.ADMIN), "/consent/retention"
    for days in ("3", "soon", "9999999"):
        assert post(admin, path, kind="texts", days=days).status_code == 422
    assert post(admin, path, kind="nothing", days="30").status_code == 404
    assert post(admin, path, kind="texts", days="400").status_code == 302
    assert re.search(r"Texts that people sent</th><td[^>]*>400</td>", marketer.get("/consent").text)
    assert post(admin, path, kind="texts", days="").status_code == 302
    assert re.search(r"Texts that people sent</th><td[^>]*>for ever</td>", marketer.get("/consent").text)


def test_who_exported_and_erased_whom_is_written_down(sign_in: SignIn, marketer: FlaskClient, people: People) -> None:
    contact_id, public_id = people("asking")
    admin, found = sign_in(sample.ADMIN), "/consent?person=ASKING@forget.example"
    assert f"/contacts/{public_id}/export" in admin.get(found).text
    assert "Administrators download and erase." in marketer.get(found).text
    admin.get(f"/contacts/{public_id}/export")
    post(admin, f"/contacts/{public_id}/erase", word="erase")
    page = admin.get(found).text
    assert "Nobody here has" in page
    for action in ("Exported", "Erased"):
        row = page.split(f">{action}</th>")[1].split("</tr>")[0]
        assert f"contact {contact_id}<" in row and sample.ADMIN in row


def test_the_page_sums_up_why_people_left(marketer: FlaskClient, shop_database: Database) -> None:
    assert "Nobody has said." in marketer.get("/consent").text
    store = text("""
        insert into leaving_reasons
        select id, origin_at, contact_id, 'too_many', '<b>Daily', now() from messages limit 1""")
    with shop_database.transaction() as session:
        session.execute(store)
    page = marketer.get("/consent").text
    assert re.search(r"I get too many messages</th><td[^>]*>1<", page) and "“&lt;b&gt;Daily”" in page
    with shop_database.transaction() as session:
        session.execute(text("delete from leaving_reasons"))


def test_a_colleague_writes_down_what_somebody_told_them(
    marketer: FlaskClient, viewer: FlaskClient, people: People, shop_database: Database
) -> None:
    _, public_id = people("caller")
    page, path = f"/contacts/{public_id}", f"/contacts/{public_id}/consent"
    told = {"channel": "email", "topic": "", "action": "unsubscribed", "how": "By phone, <today>"}
    assert "Write down what they told you" in marketer.get(page).text
    assert "Write down" not in viewer.get(page).text
    assert post(viewer, path, **told).status_code == 403
    for wrong, status in (
        ({"how": " "}, 422),
        ({"channel": "fax"}, 422),
        ({"action": "x"}, 422),
        ({"topic": "x"}, 404),
    ):
        assert post(marketer, path, **(told | wrong)).status_code == status
    assert post(marketer, path, **told).status_code == 302
    shown = marketer.get(page).text
    assert (
        "Unsubscribed</strong> from email" in shown and "By phone, &lt;today&gt;" in shown and sample.MARKETER in shown
    )
    with shop_database.transaction() as session:
        suppress(session, "email", ["caller@forget.example"], "unsubscribed", dt.datetime.now(dt.UTC))
    assert "No email is sent to this address" in marketer.get(page).text
    post(marketer, path, **(told | {"action": "subscribed"}))
    assert "No email is sent to this address" not in marketer.get(page).text
    assert post(marketer, "/contacts/nobody/consent", **told).status_code == 404
