"""Twilio against its own library: what its client sends we send, what its validator accepts we accept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from engine.channels.journal import Journal
from engine.channels.provider import Result
from engine.channels.sms import gateway, twilio
from tests.engine.channels.gateways import NAMING, Asked, http_gateway, text_to

ACCOUNT, TOKEN = "AC" + "0" * 32, "a-secret-token"
TAKEN = 201, json.dumps({"sid": "SM1", "status": "queued"}).encode()


def refused(status: int, code: int) -> tuple[int, bytes]:
    return status, json.dumps({"code": code, "message": "no", "status": status}).encode()


def send(folder: Path, port: int, count: int = 1, options: str = "from=+15550100") -> list[Result]:
    url = f"twilio+http://{ACCOUNT}:{TOKEN}@127.0.0.1:{port}?{options}"
    provider = gateway.provider(url, Journal(folder), NAMING)
    try:
        return provider.submit([text_to("+4915112345678", "Grüße €", n) for n in range(1, count + 1)]).result(30)
    finally:
        provider.close()


class Redirected(TwilioHttpClient):
    """Twilio's client, pointed at our gateway."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port

    def request(self, method, url, **rest):  # type: ignore[no-untyped-def]
        return super().request(method, url.replace("https://api.twilio.com", f"http://127.0.0.1:{self.port}"), **rest)


def test_a_text_goes_out_as_twilios_own_client_sends_it(tmp_path: Path) -> None:
    with http_gateway(lambda _: TAKEN) as (port, asked):
        [result] = send(tmp_path, port)
        callback = NAMING.receipt_url(text_to("", ""))
        Client(ACCOUNT, TOKEN, http_client=Redirected(port)).messages.create(
            to="+4915112345678", from_="+15550100", body="Grüße €", status_callback=callback
        )
    ours, theirs = asked
    assert (result.outcome, result.text) == ("accepted", "SM1 queued")
    assert (ours.path, ours.fields) == (theirs.path, theirs.fields)
    assert ours.headers["Authorization"] == theirs.headers["Authorization"]
    assert ours.headers["Content-Type"] == theirs.headers["Content-Type"]


def test_a_messaging_service_stands_in_for_a_number(tmp_path: Path) -> None:
    with http_gateway(lambda _: TAKEN) as (port, asked):
        send(tmp_path, port, options="service=MG1")
    assert asked[0].fields["MessagingServiceSid"] == "MG1" and "From" not in asked[0].fields


@pytest.mark.parametrize(
    ("answer", "outcome", "enhanced"),
    [
        (refused(400, 21211), "failed", "5.1.1"),
        (refused(400, 21610), "failed", "5.2.1"),
        (refused(400, 30007), "failed", "5.7.1"),
        (refused(400, 21617), "failed", ""),
        (refused(429, 20429), "retry", "4.7.0"),
        (refused(503, 20503), "retry", ""),
        (refused(401, 20003), "not_tried", ""),
        (refused(400, 21606), "not_tried", ""),
        ((502, b"<html>"), "unknown", ""),
        ((0, b""), "unknown", ""),
    ],
)
def test_answers_and_what_they_mean(tmp_path: Path, answer: tuple[int, bytes], outcome: str, enhanced: str) -> None:
    with http_gateway(lambda _: answer) as (port, _):
        [result] = send(tmp_path, port)
    assert (result.outcome, result.enhanced) == (outcome, enhanced)


def test_a_gateway_that_is_away_is_asked_a_few_times_for_a_whole_batch(tmp_path: Path) -> None:
    with http_gateway(lambda _: TAKEN) as (port, asked):
        pass
    results = send(tmp_path, port, count=100)
    assert {one.outcome for one in results} == {"not_tried"} and len(results) == 100 and not asked
    assert "Failed to establish a new connection: Connection refused" in {one.text for one in results}


def test_wrong_credentials_harm_no_text(tmp_path: Path) -> None:
    with http_gateway(lambda _: refused(401, 20003)) as (port, asked):
        results = send(tmp_path, port, count=100)
    assert {one.outcome for one in results} == {"not_tried"} and len(asked) <= 2 * 8


@pytest.mark.parametrize("url", ["https://x.example/hooks/sms/incoming", "https://x.example:8443/hooks/sms/t?a=1&b=2"])
def test_signatures_are_those_of_twilios_validator(url: str) -> None:
    fields = {"From": "+4915112345678", "Body": "STOP — ü", "Empty": ""}
    theirs = RequestValidator(TOKEN).compute_signature(url, fields)
    assert twilio.signature(TOKEN, url, fields.items()) == theirs
    assert RequestValidator(TOKEN).validate(url, fields, twilio.signature(TOKEN, url, fields.items()))
    assert twilio.genuine(TOKEN, url, fields.items(), theirs)
    assert not twilio.genuine("another", url, fields.items(), theirs)
    assert not twilio.genuine(TOKEN, url, (fields | {"Body": "START"}).items(), theirs)


def test_a_signature_over_the_address_with_its_port_counts_too() -> None:
    signed = twilio.signature(TOKEN, "https://x.example:443/hooks/sms/t", [])
    assert twilio.genuine(TOKEN, "https://x.example/hooks/sms/t", [], signed)


def test_each_try_is_journalled_before_it_goes_out(tmp_path: Path) -> None:
    seen: list[str] = []

    def look(_: Asked) -> tuple[int, bytes]:
        [file] = [one for one in tmp_path.iterdir() if one.name != "home-id"]
        seen.append(file.read_text())
        return TAKEN

    with http_gateway(look) as (port, _):
        send(tmp_path, port)
    assert "try 1 1" in seen[0]
