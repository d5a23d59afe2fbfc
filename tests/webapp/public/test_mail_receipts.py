"""The door of email vendors, with payloads in the form that each of them documents."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from sqlalchemy import text

from engine.channels.mail_api import account, ses
from engine.db import Database
from engine.identities import store as identities
from engine.identities.values import House
from engine.urls import origin_us
from tests.engine.messages import ledger
from tests.webapp.calling import SIGNER, Site, serving
from webapp.public.mail_receipts import MailReceipts, door_url
from workers import pipeline

HOUSE = House("https://x", SIGNER.sealing_keys)
PATH = door_url("", SIGNER)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
EC_PUBLIC = base64.b64encode(
    EC_KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
WHO = "user0@example.com"
POSTMARK = "postmark://t@api.postmarkapp.com"
SENDGRID = f"sendgrid://k@api.sendgrid.com?verify={EC_PUBLIC}"
MAILGUN = "mailgun://k@api.mailgun.net?domain=mg.example.com&signing=signing-key"
SES = "ses://A:B@email.eu-west-1.amazonaws.com?region=eu-west-1&topic=arn:aws:sns:eu-west-1:1:mail"


@pytest.fixture
def name(database: Database) -> str:
    """Our name for an email that was just accepted."""
    with database.transaction() as session:
        ledger.fill(session, 1, slug="hi")
        session.execute(
            text("update messages set state = 'accepted', accepted_at = now(), recipient = 'user0@example.com'")
        )
        counted = "select 1, 'a', 'email', (now() at time zone 'utc')::date, 1"
        session.execute(text(f"insert into message_rollups (journey_id, step_id, channel, day, sent) {counted}"))
        [(id_, origin)] = session.execute(text("select id, origin_at from messages")).all()
    return SIGNER.bounce(id_, origin_us(origin))


def state(database: Database) -> str:
    pipeline.receipts(database)
    with database.transaction() as session:
        [(state, reason)] = session.execute(text("select state, reason from messages")).all()
    return f"{state}:{reason}" if reason else state


def postmark(name: str, record: str, **more: Any) -> dict[str, Any]:
    common = {
        "MessageID": "00000000-0000-0000-0000-000000000000",
        "Metadata": {"cairn": name},
        "MessageStream": "broadcast",
    }
    return {"RecordType": record, **common, **more}


@pytest.mark.parametrize(
    ("record", "more", "expected"),
    [
        ("Delivery", {"Recipient": WHO, "DeliveredAt": "2026-11-05T16:33:54.9070259Z"}, "delivered"),
        ("Bounce", {"ID": 42, "Type": "HardBounce", "Email": WHO}, "bounced:hard_bounce"),
        ("Bounce", {"ID": 43, "Type": "SoftBounce", "Email": WHO}, "bounced:soft_bounce"),
        ("Bounce", {"ID": 44, "Type": "Blocked", "Email": WHO}, "bounced:policy"),
        ("Bounce", {"ID": 45, "Type": "AutoResponder", "Email": WHO}, "accepted"),
        ("SpamComplaint", {"ID": 46, "Type": "SpamComplaint", "Email": WHO}, "complained:complaint"),
        ("Open", {"Recipient": WHO}, "accepted"),
    ],
)  # fmt: skip
def test_postmark(database: Database, name: str, record: str, more: dict[str, Any], expected: str) -> None:
    with serving(database, smtp_url=POSTMARK) as site:
        for _ in range(2):
            assert site.client.post(PATH, json=postmark(name, record, **more)).status_code == 200
    assert state(database) == expected


def signed_by_sendgrid(body: bytes) -> dict[str, str]:
    signature = EC_KEY.sign(b"1600112502" + body, ec.ECDSA(hashes.SHA256()))
    return {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": "1600112502",
    }


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"event": "delivered", "response": "250 OK"}, "delivered"),
        ({"event": "bounce", "status": "5.1.1", "reason": "550 5.1.1 No such user"}, "bounced:hard_bounce"),
        ({"event": "bounce", "status": "5.7.1", "reason": "554 5.7.1 blocked by Spamhaus"}, "bounced:policy"),
        ({"event": "bounce", "status": "5.2.2", "reason": "552 5.2.2 mailbox full"}, "bounced:soft_bounce"),
        ({"event": "dropped", "reason": "Bounced Address"}, "bounced:hard_bounce"),
        ({"event": "spamreport"}, "complained:complaint"),
        ({"event": "deferred", "response": "451 later"}, "accepted"),
        ({"event": "open"}, "accepted"),
    ],
)  # fmt: skip
def test_sendgrid(database: Database, name: str, event: dict[str, Any], expected: str) -> None:
    whole = {
        "email": WHO,
        "timestamp": 1600112502,
        "sg_event_id": "e1",
        "sg_message_id": "m",
        "cairn": name,
    }
    body = json.dumps([{**whole, **event}]).encode()
    with serving(database, smtp_url=SENDGRID) as site:
        assert site.client.post(PATH, data=body).status_code == 403
        assert site.client.post(PATH, data=body + b" ", headers=signed_by_sendgrid(body)).status_code == 403
        assert site.client.post(PATH, data=body, headers=signed_by_sendgrid(body)).status_code == 200
    assert state(database) == expected


def test_of_many_events_in_a_request_each_is_kept_once(database: Database, name: str) -> None:
    one = {"email": WHO, "timestamp": 1600112502, "event": "delivered", "cairn": name, "response": "250 " + "x" * 1000}
    body = json.dumps([{**one, "sg_event_id": f"e{number}"} for number in range(50)]).encode()
    with serving(database, smtp_url=SENDGRID) as site:
        assert site.client.post(PATH, data=body, headers=signed_by_sendgrid(body)).status_code == 200
    with database.transaction() as session:
        count, kept = session.execute(text("select count(*), sum(length(payload)) from receipts")).one()
    assert count == 50 and kept <= len(body)


def test_an_event_that_does_not_read_is_passed_over_and_one_without_a_name_is_itself(
    database: Database, name: str
) -> None:
    said = {"email": WHO, "event": "delivered", "cairn": name}
    body = json.dumps([{**said, "event": ["x"]}, {**said, "timestamp": 1}, {**said, "timestamp": 2}]).encode()
    with serving(database, smtp_url=SENDGRID) as site:
        for _ in range(2):
            assert site.client.post(PATH, data=body, headers=signed_by_sendgrid(body)).status_code == 200
    with database.transaction() as session:
        assert session.execute(text("select count(*) from receipts")).scalar_one() == 2


def mailgun(name: str, event: dict[str, Any], key: str = "signing-key") -> dict[str, Any]:
    stamp, token = "1529006854", "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0"
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), "sha256").hexdigest()
    whole = {"id": "W3X4JOhFT-OZidZGKKr9iA", "timestamp": 1529006854.329574, "recipient": WHO}
    data = {**whole, "user-variables": {"cairn": name}, **event}
    return {"signature": {"timestamp": stamp, "token": token, "signature": signature}, "event-data": data}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"event": "delivered", "delivery-status": {"code": 250, "message": "OK"}}, "delivered"),
        ({"event": "failed", "severity": "permanent", "reason": "bounce",
          "delivery-status": {"code": 550, "message": "5.1.1 user unknown"}}, "bounced:hard_bounce"),
        ({"event": "failed", "severity": "permanent", "reason": "suppress-bounce"}, "bounced:hard_bounce"),
        ({"event": "failed", "severity": "temporary", "delivery-status": {"code": 452}}, "accepted"),
        ({"event": "complained"}, "complained:complaint"),
        ({"event": "clicked"}, "accepted"),
    ],
)  # fmt: skip
def test_mailgun(database: Database, name: str, event: dict[str, Any], expected: str) -> None:
    with serving(database, smtp_url=MAILGUN) as site:
        assert site.client.post(PATH, json=mailgun(name, event, "another")).status_code == 403
        assert site.client.post(PATH, json=mailgun(name, {"event": ["failed"]})).status_code == 200
        assert site.client.post(PATH, json=mailgun(name, event)).status_code == 200
    assert state(database) == expected


class Amazon:
    """SNS with a key and certificate of the test's own."""

    url = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = dt.datetime.now(dt.UTC)
        made = x509.CertificateBuilder(subject, subject, self.key.public_key(), 1, now, now + dt.timedelta(days=1))
        self.certificate = made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        self.fetched: list[str] = []

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        return self.certificate

    def message(self, kind: str, **fields: str) -> dict[str, str]:
        said = {
            "Type": kind,
            "MessageId": "1",
            "TopicArn": account.parse(SES).options["topic"],
            "Timestamp": "2026-11-01T10:00:00.000Z",
        }
        said |= {"SignatureVersion": "2", "SigningCertURL": self.url, **fields}
        signed = "".join(f"{key}\n{said[key]}\n" for key in ses.SIGNED if key in said)
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return {**said, "Signature": base64.b64encode(signature).decode()}


AMAZON = Amazon()


def at_amazon(database: Database, site: Site) -> None:
    object.__setattr__(site.hot, "mail_receipts", MailReceipts(database, SIGNER, HOUSE, SES, AMAZON.fetch))


def bounce(kind: str, subtype: str, status: str, code: str) -> dict[str, Any]:
    person = {"emailAddress": WHO, "action": "failed", "status": status, "diagnosticCode": code}
    told = {
        "bounceType": kind,
        "bounceSubType": subtype,
        "bouncedRecipients": [person],
        "timestamp": "2026-11-01T10:00:00.000Z",
    }
    return {"eventType": "Bounce", "bounce": told}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"eventType": "Delivery", "delivery": {"recipients": [WHO], "smtpResponse": "250 ok"}}, "delivered"),
        (bounce("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown"), "bounced:hard_bounce"),
        (bounce("Permanent", "General", "5.7.1", "smtp; 554 5.7.1 rejected as spam"), "bounced:policy"),
        (bounce("Permanent", "OnAccountSuppressionList", "", ""), "bounced:hard_bounce"),
        (bounce("Transient", "MailboxFull", "5.2.2", "smtp; 552 mailbox full"), "bounced:soft_bounce"),
        (bounce("Transient", "ContentRejected", "", ""), "bounced:policy"),
        ({"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": WHO}],
                                                  "complaintFeedbackType": "abuse"}}, "complained:complaint"),
        ({"eventType": "Open"}, "accepted"),
    ],
)  # fmt: skip
def test_amazon(database: Database, name: str, event: dict[str, Any], expected: str) -> None:
    event = {**event, "mail": {"messageId": "s-1", "tags": {"cairn": [name]}}}
    with serving(database, smtp_url=SES) as site:
        at_amazon(database, site)
        said = AMAZON.message("Notification", Message=json.dumps(event))
        assert site.client.post(PATH, json={**said, "Message": said["Message"] + " "}).status_code == 403
        for url in ("https://sns.evil.example/x.pem", "https://sns.eu-west-1.amazonaws.com/?Action=Echo&x=.pem"):
            assert site.client.post(PATH, json={**said, "SigningCertURL": url}).status_code == 403
        assert site.client.post(PATH, json=said).status_code == 200
    assert state(database) == expected


def test_a_subscription_of_our_topic_is_confirmed_and_no_other(database: Database) -> None:
    confirm = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    with serving(database, smtp_url=SES) as site:
        at_amazon(database, site)
        AMAZON.fetched.clear()
        said = AMAZON.message("SubscriptionConfirmation", Message="m", SubscribeURL=confirm, Token="t")
        assert site.client.post(PATH, json=said).status_code == 200
        other = AMAZON.message(
            "SubscriptionConfirmation",
            Message="m",
            SubscribeURL=confirm,
            Token="t",
            TopicArn="arn:aws:sns:eu-west-1:2:x",
        )
        assert site.client.post(PATH, json=other).status_code == 403
    assert AMAZON.fetched == [AMAZON.url, confirm]


def test_a_forged_name_or_a_wrong_token_changes_nothing(database: Database, name: str) -> None:
    with serving(database, smtp_url=POSTMARK) as site:
        forged = postmark(
            name[:-1] + ("a" if name[-1] != "a" else "b"), "SpamComplaint", ID=1, Email="someone@else.example"
        )
        assert site.client.post(PATH, json=forged).status_code == 200
        assert site.client.post("/hooks/mail/wrong", json=postmark(name, "SpamComplaint", ID=2)).status_code == 404
        assert site.client.get(PATH).status_code == 405
        for body in (b"[1, null]", b'{"RecordType": ["x"]}'):
            assert site.client.post(PATH, data=body).status_code == 200
        for body in (b"", b"[", b"\xff" * 100, b"[" * 200_000 + b"]" * 200_000):
            assert site.client.post(PATH, data=body).status_code == 400
    assert state(database) == "accepted"


def test_each_of_two_vendors_has_an_address_of_its_own(database: Database, name: str) -> None:
    with serving(database, smtp_url=f"{SES} {POSTMARK}") as site:
        bounced = postmark(name, "Bounce", ID=42, Type="HardBounce", Email=WHO)
        assert site.client.post(PATH, json=bounced).status_code == 403, "the bare address is the first vendor's"
        assert site.client.post(f"{PATH}/sendgrid", json=bounced).status_code == 404
        assert site.client.post(f"{PATH}/postmark", json=bounced).status_code == 200
    assert state(database) == "bounced:hard_bounce"


def test_the_account_of_an_identity_has_an_address_and_a_key_of_its_own(database: Database, name: str) -> None:
    with database.transaction() as session:
        form = identities.Form(slug="shop", name="", address="a@shop.example", relays=SENDGRID)
        identities.put(session, form, HOUSE, "ann", ledger.now)
    path, event = door_url("", SIGNER, "sendgrid", "shop"), {"event": "delivered", "cairn": name, "sg_event_id": "1"}
    with serving(database, smtp_url=POSTMARK) as site:
        assert site.client.post(path, json=[event]).status_code == 403, "not signed by the identity's key"
        assert site.client.post(f"{PATH}/sendgrid/shop", json=[event]).status_code == 404, "the installation's token"
        assert site.client.post(path.replace("sendgrid", "postmark"), json=event).status_code == 404
        body = json.dumps([event | {"email": WHO, "timestamp": 1}]).encode()
        assert site.client.post(path, data=body, headers=signed_by_sendgrid(body)).status_code == 200
    assert state(database) == "delivered"


def test_without_an_account_there_is_no_door(database: Database) -> None:
    with serving(database) as site:
        assert site.client.post(PATH, json={}).status_code == 404
