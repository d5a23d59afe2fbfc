"""The doors of gateways: signed by Twilio's own library, and a real Kannel."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from sqlalchemy import text
from twilio.request_validator import RequestValidator

from engine.channels.journal import Journal
from engine.channels.naming import Naming
from engine.channels.sms import gateway
from engine.channels.sms.gateway import Gateway
from engine.db import Database
from engine.urls import origin_us
from tests.engine.channels.gateways import text_to
from tests.engine.channels.sms.kannel_server import kannel, missing
from tests.engine.messages import ledger
from tests.webapp.calling import SIGNER, serving
from webapp.public.texts import incoming_url
from workers import pipeline

SITE = "https://cairn.example"
TWILIO = gateway.parse("twilio://AC1:token@api.twilio.com?from=+15550100")
KANNEL = gateway.parse("kannel://cairn:secret@127.0.0.1:1?from=SHOP")


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.transaction() as session:
        return [tuple(row) for row in session.execute(text(query))]


def sent(database: Database) -> str:
    """The address for receipts of a text that was just accepted."""
    with database.transaction() as session:
        ledger.fill(session, 1, channel="sms", slug="hi")
        session.execute(text("update messages set state = 'accepted', accepted_at = now(), recipient = '+12025550000'"))
        counted = "select 1, 'a', 'sms', (now() at time zone 'utc')::date, 1"
        session.execute(text(f"insert into message_rollups (journey_id, step_id, channel, day, sent) {counted}"))
        [(id_, origin)] = session.execute(text("select id, origin_at from messages")).all()
    return f"{SITE}/hooks/sms/{SIGNER.bounce(id_, origin_us(origin))}"


def signed(url: str, fields: dict[str, str]) -> dict[str, str]:
    return {"X-Twilio-Signature": RequestValidator("token").compute_signature(url, fields)}


def state(database: Database) -> tuple[str, str | None]:
    pipeline.receipts(database)
    [(state, reason)] = rows(database, "select state, reason from messages")
    return state, reason


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["sent", "delivered"], ("delivered", None)),
        (["delivered", "sent", "delivered"], ("delivered", None)),
        (["undelivered 30005"], ("bounced", "hard_bounce")),
        (["undelivered 30003", "delivered"], ("bounced", "soft_bounce")),
        (["failed 30007"], ("bounced", "policy")),
        (["queued", "sending"], ("accepted", None)),
    ],
)
def test_twilios_statuses_move_a_message_forward_only(
    database: Database, said: list[str], expected: tuple[str, str | None]
) -> None:
    url = sent(database)
    with serving(database, gateway=TWILIO, site=SITE) as site:
        for one in said:
            status, _, code = one.partition(" ")
            fields = {"MessageSid": "SM1", "MessageStatus": status, **({"ErrorCode": code} if code else {})}
            answer = site.client.post(urlsplit(url).path, data=fields, headers=signed(url, fields))
            assert answer.status_code == 200
    assert state(database) == expected


def test_a_wrong_signature_changes_nothing(database: Database) -> None:
    url = sent(database)
    fields = {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "30005"}
    with serving(database, gateway=TWILIO, site=SITE) as site:
        path = urlsplit(url).path
        assert site.client.post(path, data=fields).status_code == 403
        assert site.client.post(path, data=fields, headers=signed(url, {})).status_code == 403
        forged = {"From": "+12025550000", "Body": "STOP", "MessageSid": "SM2"}
        assert site.client.post("/hooks/sms/incoming", data=forged).status_code == 403
        other = path[:-1] + "x"
        assert site.client.post(other, data=fields, headers=signed(SITE + other, fields)).status_code == 404
    assert state(database) == ("accepted", None) and rows(database, "select from incoming_texts") == []


def test_a_text_is_answered_in_twilios_language(database: Database) -> None:
    url = f"{SITE}/hooks/sms/incoming"
    fields = {"From": "+12025550000", "To": "+15550100", "Body": "STOP", "MessageSid": "SM2"}
    with serving(database, gateway=TWILIO, site=SITE) as site:
        first = site.client.post("/hooks/sms/incoming", data=fields, headers=signed(url, fields))
        again = site.client.post("/hooks/sms/incoming", data=fields, headers=signed(url, fields))
        assert "<Response><Message>Cairn: you are unsubscribed" in first.text and first.mimetype == "text/xml"
        assert again.text.endswith("<Response></Response>")
        time.sleep(0.1)
        assert site.rings


@pytest.mark.parametrize("given", [None, KANNEL])
def test_doors_of_another_gateway_do_not_exist(database: Database, given: Gateway | None) -> None:
    with serving(database, gateway=given, site=SITE) as site:
        assert site.client.post("/hooks/sms/incoming", data={"From": "+1"}).status_code == 404
        assert site.client.get("/hooks/sms/incoming/wrong?from=1&id=2&text=STOP").status_code == 404
        assert site.client.get("/hooks/sms/nothing?type=1").status_code == 404


class Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.skipif(bool(missing()), reason=f"Debian's package {missing()} is not installed")
def test_a_real_kannel_takes_texts_reports_them_and_brings_a_stop(database: Database, tmp_path: Path) -> None:
    sent(database)
    with serving(database, gateway=KANNEL, site=SITE) as site:
        server = make_server("127.0.0.1", 0, site.client.application, handler_class=Silent)  # type: ignore[arg-type]
        Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}"
        with kannel(tmp_path, incoming_url(here, KANNEL, SIGNER), "+12025550000 4900 text STOP please") as running:
            provider = gateway.provider(
                f"kannel://cairn:secret@127.0.0.1:{running.sendsms}?from=SHOP",
                Journal(tmp_path / "journal"),
                Naming(here, SIGNER),
            )
            [(id_, origin)] = rows(database, "select id, origin_at from messages")
            item = text_to("+12025550000", "Grüße €" + "!" * 200, id_)
            item.origin_at = origin
            [result] = provider.submit([item]).result(20)
            until = time.monotonic() + 15
            while time.monotonic() < until and not (
                rows(database, "select from receipts") and len(running.arrived()) >= 3
            ):
                time.sleep(0.1)
            provider.close()
            arrived = running.arrived()
        server.shutdown()
    assert result.outcome == "accepted"
    assert state(database) == ("delivered", None)
    assert any("you+are+unsubscribed" in one or "you are unsubscribed" in one for one in arrived)
    assert sum("udh" in one for one in arrived) == 2
    [(sender, keyword, answer)] = rows(database, "select sender, keyword, answer from incoming_texts")
    assert (sender, keyword) == ("+12025550000", "stop") and answer
    assert rows(database, "select state from consent_states") == [("unsubscribed",)]


@pytest.mark.skipif(bool(missing()), reason=f"Debian's package {missing()} is not installed")
def test_a_wrong_password_at_kannel_harms_no_text(tmp_path: Path) -> None:
    with kannel(tmp_path, "http://127.0.0.1:9/none", "1 2 text x") as running:
        provider = gateway.provider(
            f"kannel://cairn:wrong@127.0.0.1:{running.sendsms}?from=SHOP",
            Journal(tmp_path / "journal"),
            Naming(SITE, SIGNER),
        )
        [result] = provider.submit([text_to("+12025550000", "hello")]).result(20)
        provider.close()
    assert (result.outcome == "not_tried" and "refuses" in result.text.lower()) or "auth" in result.text.lower()


@pytest.mark.skipif(bool(missing()), reason=f"Debian's package {missing()} is not installed")
def test_pieces_that_a_real_kannel_does_not_join_are_joined(database: Database, tmp_path: Path) -> None:
    head = "+12025550000 4900 udh %05%00%03%F1%02"
    pieces = (f"{head}%01 Please+don%27t+text+me+any+mo", f"{head}%02 re%2C+stop+it+now")
    with serving(database, gateway=KANNEL, site=SITE) as site:
        server = make_server("127.0.0.1", 0, site.client.application, handler_class=Silent)  # type: ignore[arg-type]
        Thread(target=server.serve_forever, daemon=True).start()
        url = incoming_url(f"http://127.0.0.1:{server.server_port}", KANNEL, SIGNER)
        with kannel(tmp_path, url, *pieces, times=40, combine=False) as running:
            until = time.monotonic() + 15
            while time.monotonic() < until and not running.arrived():
                time.sleep(0.1)
            arrived = running.arrived()
        server.shutdown()
    assert rows(database, "select body, keyword from incoming_texts") == [
        ("Please don't text me any more, stop it now", "stop")
    ]
    assert any("unsubscribed" in one for one in arrived)


def test_what_twilio_has_understood_and_answered_is_obeyed_in_silence(database: Database) -> None:
    url = f"{SITE}/hooks/sms/incoming"
    fields = {"From": "+12025550000", "To": "+15550100", "Body": "NIX MEHR", "MessageSid": "SM3", "OptOutType": "STOP"}
    with serving(database, gateway=TWILIO, site=SITE) as site:
        answered = site.client.post("/hooks/sms/incoming", data=fields, headers=signed(url, fields))
    assert answered.text.endswith("<Response></Response>")
    assert rows(database, "select keyword, answer from incoming_texts") == [("stop", None)]
    assert len(rows(database, "select from suppressions where channel = 'sms'")) == 1
