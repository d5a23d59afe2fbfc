"""Vendors' HTTP interfaces: what they are asked, and what their answers mean."""

from __future__ import annotations

import base64
import json
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from engine.channels.journal import Journal
from engine.channels.mail_api import account, ses
from engine.channels.provider import Outgoing, Rendered, Result
from engine.errors import ConfigurationError
from tests.engine.channels.gateways import NAMING, ORIGIN, Asked, http_gateway

MAIL = (
    b"From: =?utf-8?b?TMO8ZG8gU2hvcA==?= <shop@cairn.example>\r\nTo: Ann Lee <ann@x.example>\r\n"
    b"Reply-To: help@cairn.example\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\r\nMessage-ID: <abc@cairn.example>\r\n"
    b"Date: Sun, 01 Nov 2026 10:00:00 +0000\r\nList-Unsubscribe: <https://cairn.example/u/0123456789\r\n"
    b" 012345678901234567890123456789>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nX-Cairn-Message: abc\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"Gr=C3=BC=C3=9Fe\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"<p>Gr=C3=BC=C3=9Fe</p>\r\n--b--\r\n"
)
NAME = NAMING.signer.bounce(7, int(ORIGIN.timestamp() * 1_000_000))
URLS = {
    "postmark": "postmark+http://token@127.0.0.1:{port}?stream=news",
    "sendgrid": "sendgrid+http://key@127.0.0.1:{port}",
    "mailgun": "mailgun+http://key@127.0.0.1:{port}?domain=mg.example.com",
    "ses": "ses+http://AKID:s%2Fecret@127.0.0.1:{port}?region=eu-west-1&configuration=cairn",
}
TAKEN = {
    "postmark": (200, b'{"ErrorCode": 0, "Message": "OK", "MessageID": "p-1"}'),
    "sendgrid": (202, b""),
    "mailgun": (200, b'{"id": "<m-1>", "message": "Queued. Thank you."}'),
    "ses": (200, b'{"MessageId": "s-1"}'),
}


def send(folder: Path, kind: str, port: int, count: int = 1) -> list[Result]:
    provider = account.provider(URLS[kind].format(port=port), Journal(folder), NAMING)
    items = [
        Outgoing(7, n, "b@x.example", "ann@x.example", lambda: Rendered(MAIL), "abc", ORIGIN)
        for n in range(1, count + 1)
    ]
    try:
        return provider.submit(items).result(30)
    finally:
        provider.close()


def asked(folder: Path, kind: str) -> Asked:
    with http_gateway(lambda _: TAKEN[kind]) as (port, seen):
        [result] = send(folder, kind, port)
    assert result.outcome == "accepted"
    return seen[0]


def test_postmark_gets_the_bodies_the_headers_and_our_name(tmp_path: Path) -> None:
    one = asked(tmp_path, "postmark")
    body = json.loads(one.body)
    assert one.path == "/email" and one.headers["X-Postmark-Server-Token"] == "token"
    assert (body["From"], body["To"], body["Subject"]) == (
        "Lüdo Shop <shop@cairn.example>",
        "Ann Lee <ann@x.example>",
        "Grüße",
    )
    assert body["TextBody"].strip() == "Grüße" and body["HtmlBody"].strip() == "<p>Grüße</p>"
    assert body["MessageStream"] == "news" and body["Metadata"] == {"cairn": NAME}
    headers = {each["Name"]: each["Value"] for each in body["Headers"]}
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Unsubscribe"].startswith("<https://cairn.example/u/") and headers["List-Unsubscribe"].endswith(
        ">"
    )
    assert "Message-ID" not in headers and "Content-Type" not in headers


def test_sendgrid_gets_its_own_form_with_its_tracking_off(tmp_path: Path) -> None:
    one = asked(tmp_path, "sendgrid")
    body = json.loads(one.body)
    assert one.path == "/v3/mail/send" and one.headers["Authorization"] == "Bearer key"
    assert body["personalizations"] == [
        {"to": [{"email": "ann@x.example", "name": "Ann Lee"}], "custom_args": {"cairn": NAME}}
    ]
    assert body["reply_to"] == {"email": "help@cairn.example"}
    assert [each["type"] for each in body["content"]] == ["text/plain", "text/html"]
    assert not any(each["enable"] for each in body["tracking_settings"].values())


def test_mailgun_gets_the_mail_as_it_was_rendered(tmp_path: Path) -> None:
    one = asked(tmp_path, "mailgun")
    assert one.path == "/v3/mg.example.com/messages.mime"
    assert base64.b64decode(one.headers["Authorization"].removeprefix("Basic ")) == b"api:key"
    form = message_from_bytes(
        b"Content-Type: " + one.headers["Content-Type"].encode() + b"\r\n\r\n" + one.body, policy=default
    )
    fields = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
    assert MAIL.strip() in one.body and fields["to"].get_payload() == "ann@x.example"
    assert fields["v:cairn"].get_payload() == NAME and fields["o:tracking"].get_payload() == "no"


def test_amazon_gets_raw_mime_and_a_signed_request(tmp_path: Path) -> None:
    one = asked(tmp_path, "ses")
    body = json.loads(one.body)
    assert base64.b64decode(body["Content"]["Raw"]["Data"]) == MAIL
    assert body["EmailTags"] == [{"Name": "cairn", "Value": NAME}] and body["ConfigurationSetName"] == "cairn"
    given = {name: one.headers[name] for name in ("Content-Type", "Host", "X-Amz-Date")}
    expected = ses.authorization("AKID", "s/ecret", "eu-west-1", "ses", "POST", one.path, given, one.body)
    assert one.headers["Authorization"] == expected


def test_the_signature_is_that_of_amazons_published_example() -> None:
    """ "get-vanilla" of the Signature Version 4 test suite."""
    headers = {"Host": "example.amazonaws.com", "X-Amz-Date": "20150830T123600Z"}
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    signed = ses.authorization("AKIDEXAMPLE", secret, "us-east-1", "service", "GET", "/", headers, b"")
    assert signed.endswith("Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")


@pytest.mark.parametrize(
    ("kind", "status", "body", "outcome"),
    [
        ("postmark", 422, {"ErrorCode": 406, "Message": "inactive"}, "failed"),
        ("postmark", 422, {"ErrorCode": 300, "Message": "Invalid"}, "failed"),
        ("postmark", 422, {"ErrorCode": 400, "Message": "Sender signature"}, "not_tried"),
        ("postmark", 401, {"ErrorCode": 10, "Message": "No token"}, "not_tried"),
        ("postmark", 429, {}, "retry"),
        ("postmark", 500, {}, "unknown"),
        ("sendgrid", 400, {"errors": ["bad request"]}, "failed"),
        ("sendgrid", 400, {"errors": "bad request"}, "failed"),
        ("sendgrid", 400, {"errors": [{"message": "bad", "field": "to"}]}, "failed"),
        ("sendgrid", 401, {"errors": [{"message": "no"}]}, "not_tried"),
        ("sendgrid", 429, {"errors": [{"message": "slow"}]}, "retry"),
        ("mailgun", 400, {"message": "'to' parameter is not a valid address"}, "failed"),
        ("mailgun", 401, {"message": "Forbidden"}, "not_tried"),
        ("mailgun", 429, {"message": "Too many"}, "retry"),
        ("ses", 400, {"message": "Address is malformed"}, "failed"),
        ("ses", 403, {"message": "The security token is invalid"}, "not_tried"),
        ("ses", 429, {"message": "Maximum sending rate exceeded"}, "retry"),
        ("ses", 0, {}, "unknown"),
    ],
)
def test_refusals_and_what_they_mean(tmp_path: Path, kind: str, status: int, body: Any, outcome: str) -> None:
    with http_gateway(lambda _: (status, json.dumps(body).encode())) as (port, _):
        [result] = send(tmp_path, kind, port)
    assert result.outcome == outcome and (outcome == "unknown" or not status or not body or result.text)


def test_a_wrong_key_harms_no_mail(tmp_path: Path) -> None:
    with http_gateway(lambda _: (401, b"{}")) as (port, seen):
        results = send(tmp_path, "sendgrid", port, 50)
    assert {one.outcome for one in results} == {"not_tried"} and len(seen) <= 16


@pytest.mark.parametrize(
    "url",
    [
        "postmark://api.postmarkapp.com",
        "ses://A:B@email.eu-west-1.amazonaws.com",
        "mailgun://k@h?domian=x",
        "ses+ftp://a:b@h",
    ],
)
def test_an_address_that_cannot_be_used_says_why_and_keeps_its_keys(url: str) -> None:
    with pytest.raises(ConfigurationError, match="CAIRN_SMTP_URL cannot be used") as told:
        account.parse(url)
    assert ":B@" not in str(told.value)
