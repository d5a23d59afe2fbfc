"""The local mailbox and phone."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.webapp.pages.conftest import post
from tests.webapp.pages.sample import Shop, mail
from webapp.pages.mail_parts import read_parts


def test_the_list_has_email_and_sms_newest_first(marketer: FlaskClient, shop: Shop) -> None:
    page = marketer.get("/mailbox").text
    assert page.index(shop.email) < page.index(shop.sms)
    assert "/mailbox?after=" in page
    assert "Hi! You left a tent in your cart" in page


def test_the_list_is_narrowed_by_channel_and_recipient(marketer: FlaskClient, shop: Shop) -> None:
    assert shop.email not in marketer.get("/mailbox?channel=sms").text
    page = marketer.get("/mailbox?to=NOOR.NOVAK139").text
    assert page.count('class="mail-row"') == 1


@pytest.mark.parametrize(
    ("view", "text"),
    [
        ("rendered", "<iframe"),
        ("text", "Hello, here is what to pack"),
        ("headers", "List-Unsubscribe-Post"),
        ("source", "boundary=b"),
    ],
)
def test_a_message_has_four_views(marketer: FlaskClient, shop: Shop, view: str, text: str) -> None:
    assert text in marketer.get(f"/mailbox/{shop.email}?view={view}").text


def test_a_message_leads_to_its_contact_and_journey(marketer: FlaskClient, shop: Shop) -> None:
    page = marketer.get(f"/mailbox/{shop.email}").text
    assert f"/contacts/{shop.contact}" in page
    assert "/journeys/welcome" in page


def test_an_sms_is_shown_on_a_phone(marketer: FlaskClient, shop: Shop) -> None:
    page = marketer.get(f"/mailbox/{shop.sms}").text
    assert 'class="bubble"' in page
    assert "You left a tent in your cart" in page


def test_one_can_text_back_and_sees_the_answer(marketer: FlaskClient, viewer: FlaskClient, shop: Shop) -> None:
    address = f"/mailbox/{shop.sms}/reply"
    assert post(marketer, address, text="STOP").status_code == 302
    page = marketer.get(f"/mailbox/{shop.sms}").text
    assert '<p class="bubble bubble-own">STOP</p>' in page and "you are unsubscribed" in page
    assert post(viewer, address, text="START").status_code == 403
    assert "Text back" not in viewer.get(f"/mailbox/{shop.sms}").text
    assert post(marketer, f"/mailbox/{shop.email}/reply", text="STOP").status_code == 404


def test_links_of_a_mail_open_in_a_new_window(marketer: FlaskClient, shop: Shop) -> None:
    assert marketer.get(f"/mailbox/{shop.email}/body").text.startswith('<base target="_blank">')


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"no headers at all",
        b"Content-Type: text/plain; charset=no-such-charset\r\n\r\nhi \xe9",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
        b"Subject: =?utf-8?B?!!!?=\r\nFrom: <<<\r\n\r\nx",
        b"Content-Type: text/html; charset=idna\r\n\r\n\xff",
        b'Content-Type: text/plain; charset="a\0"\r\n\r\nx',
        b"To: =?utf-8?q?a=0D=0ABcc:_e=40x?= <a@b>\r\nFrom: a. <\r\n\r\nx",
        b"Subject: =?utf-7?q?+2AA-?=\r\nTo: " + b"(" * 3000 + b"\r\n\r\nx",
        mail("a@b.example", "t")[:300],
    ],
)
def test_broken_mail_is_shown_as_far_as_it_reads(raw: bytes) -> None:
    parts = read_parts("email", raw)
    assert parts.source == raw.decode("utf-8", "replace")
    assert all(value.encode() is not None for _, value in parts.headers)
