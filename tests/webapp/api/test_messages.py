"""Programs that send one message to one contact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import insert, text

from engine import clock, users, workspace
from engine.db import Database
from engine.identities import store as identities
from engine.identities.store import Form
from engine.identities.values import House
from engine.model import ConsentState
from tests.conftest import drop, new_database
from tests.engine.messages.ledger import save
from tests.fuzz import hostile
from tests.fuzz.bounds import fuzz, within
from tests.fuzz.test_calls import as_bytes
from tests.ledger import assert_counters_equal_ledger
from tests.webapp.calling import SIGNER, Site, mails, serving
from webapp.api.pace import BURST, RATE, Pace
from webapp.groupcommit import Busy

RECEIPT = """---
subject: "Order {{ event.order }}"
---
<html><body><p>Thank you, {{ event.name }}. <a href="https://shop.example/">Shop</a></p></body></html>"""
TO = {"email": "ann@x.example"}
ANN = {"order": "A-1", "name": "Ann <3"}


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with serving(database) as opened:
        prepare(opened)
        yield opened


def prepare(site: Site) -> None:
    with site.database.transaction() as session:
        save(session, "receipt", source=RECEIPT)
        save(session, "code", "sms", source="Your code is {{ event.code }}.")
        site.key = users.create_api_key(session, "shop", ("send",))


def post(site: Site, key: str = "k1", **more: Any) -> tuple[int, Any]:
    answer = site.post("/v1/messages", {"content": "receipt", "to": TO, "messageId": key, "properties": ANN, **more})
    return answer.status_code, answer.json


def state(site: Site, token: str) -> Any:
    answer = site.client.get(f"/v1/messages/{token}", auth=(site.key, ""))
    return answer.json | {"status": answer.status_code} if answer.json else answer.status_code


def test_a_call_sends_one_message_with_what_it_says_and_its_token_tells_what_became_of_it(
    site: Site, tmp_path: Path
) -> None:
    status, said = post(site)
    assert (status, said["success"]) == (202, True)
    assert state(site, said["token"])["state"] == "queued"
    [mail] = mails(site, tmp_path)
    assert "Subject: Order A-1\n" in mail.replace("\r\n", "\n")
    assert "Thank you, Ann &lt;3." in mail and f"X-Cairn-Message: {said['token']}" in mail
    assert site.rings
    assert post(site) == (202, said)
    status, refused = post(site, properties={"order": "other"})
    assert (status, "said something else" in refused["message"]) == (422, True)
    assert post(site, to={"email": "bob@x.example"})[0] == 422
    assert mails(site, tmp_path / "again") == []
    found = state(site, said["token"])
    assert (found["status"], found["state"], found["content"], found["reason"]) == (200, "accepted", "receipt", None)
    assert found["accepted_at"] and not found["delivered_at"]
    with site.database.transaction() as session:
        assert_counters_equal_ledger(session)
    assert site.rows("select journey_id, step_id, sent from message_rollups") == [(0, "", 1)]


def test_it_offers_no_way_out_of_what_the_contact_asked_for_but_says_where_we_live(site: Site, tmp_path: Path) -> None:
    with site.database.transaction() as session:
        workspace.save(session, postal_address="1 Main Street")
    post(site)
    [mail] = mails(site, tmp_path)
    assert "nsubscribe" not in mail and "Preferences" not in mail
    assert mail.count("1 Main Street") == 2


def test_consent_does_not_hold_it_up_but_an_address_that_is_dead_or_complained_does(site: Site, tmp_path: Path) -> None:
    tokens = [post(site, str(n), to={"email": f"p{n}@x.example"})[1]["token"] for n in range(3)]
    with site.database.transaction() as session:
        ids = [row[0] for row in site.rows("select id from contacts order by id")]
        refused = {"channel": "email", "topic": "", "state": "unsubscribed", "changed_at": clock.now(session)}
        session.execute(insert(ConsentState), [refused | {"contact_id": id_} for id_ in ids])
        for number, reason in ((1, "hard_bounce"), (2, "complaint")):
            session.execute(
                text("insert into suppressions (address_hmac, channel, reason) values (:hmac, 'email', :reason)"),
                {"hmac": SIGNER.address_hmac("email", f"p{number}@x.example"), "reason": reason},
            )
    assert len(mails(site, tmp_path)) == 1
    found = [state(site, token) for token in tokens]
    assert [(one["state"], one["reason"]) for one in found] == [
        ("accepted", None),
        ("suppressed", "suppressed"),
        ("suppressed", "suppressed"),
    ]


def test_calls_with_one_key_at_the_same_time_send_once_and_get_one_answer(site: Site) -> None:
    answers: list[tuple[int, Any]] = []
    threads = [Thread(target=lambda: answers.append(post(site))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6 and all(answer == answers[0] for answer in answers)
    assert site.rows("select count(*) from messages") == [(1,)]


def test_a_call_from_before_fingerprints_is_answered_as_it_was(site: Site) -> None:
    _, said = post(site)
    with site.database.transaction() as session:
        session.execute(text("update direct_sends set fingerprint = null"))
    assert post(site, properties={"order": "other"}) == (202, said)


def test_a_key_that_calls_too_fast_is_told_when_to_come_back(site: Site) -> None:
    instants = iter([0.0] * int(BURST) + [0.0, 0.5] + [0.5] * 50)
    pace = Pace(clock=lambda: next(instants))
    for _ in range(int(BURST)):
        pace.take("one")
    with pytest.raises(Busy):
        pace.take("one")
    for _ in range(int(RATE / 2)):
        pace.take("one")
    site.hot.pace.clock = lambda: 0.0
    for _ in range(int(BURST)):
        site.hot.pace.take(site.key)
    answer = site.post("/v1/messages", {})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_the_contact_is_found_or_made_by_any_of_their_names(site: Site) -> None:
    for key, to in enumerate(
        (
            {"email": "ANN@x.example"},
            {"userId": "u1", "email": "ann@x.example"},
            {"userId": "u1"},
            {"phone": "+491701234567"},
            {"phone": "+49 170 1234567"},
            {"userId": "u2", "phone": "+491701234568"},
            {"phone": "+491701234568"},
        )
    ):
        assert post(site, str(key), to=to)[0] == 202, to
    found = site.rows("select external_id, email, phone from contacts order by id")
    assert found == [("u1", "ann@x.example", None), (None, None, "+491701234567"), ("u2", None, "+491701234568")]
    messages = "select c.id, count(*)::int from messages join contacts c on c.id = contact_id group by 1 order by 1"
    assert [count for _, count in site.rows(messages)] == [3, 2, 2]


def test_a_time_and_an_end_may_be_named(site: Site, tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    later, end = (now + dt.timedelta(hours=hours) for hours in (1, 2))
    token = post(site, send_at=later.isoformat(), expires=end.isoformat())[1]["token"]
    assert mails(site, tmp_path) == []
    found = state(site, token)
    assert [dt.datetime.fromisoformat(found[name]) for name in ("send_after", "expires_at")] == [later, end]
    assert post(site, "k2", send_at=end.isoformat(), expires=later.isoformat())[0] == 400
    assert post(site, "k3", send_at="2999-01-01")[0] == 400
    assert post(site, "k4", expires=(now - dt.timedelta(hours=1)).isoformat())[0] == 400


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"content": "nothing"}, 404, "nothing"),
        ({"content": None}, 400, "content"),
        ({"to": "ann@x.example"}, 400, "to: "),
        ({"to": {}}, 400, "to: "),
        ({"to": {"mail": "a@b.example"}}, 400, "to: "),
        ({"to": {"email": "no address"}}, 400, "email: is not an email address"),
        ({"to": {"userId": "u", "email": "no address"}}, 400, "to.email"),
        ({"to": {"phone": "1" * 600}}, 400, "to.phone"),
        ({"to": {"userId": 7}}, 400, "to.userId"),
        ({"properties": []}, 202, ""),
        ({"properties": [1]}, 400, "properties"),
        ({"sendAt": "2026-01-01"}, 400, "sendAt"),
        ({"send_at": "soon"}, 400, "send_at"),
        ({"messageId": "x" * 151}, 400, "messageId"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(site: Site, more: dict[str, Any], status: int, words: str) -> None:
    found, said = post(site, **more)
    assert (found, words in said.get("message", "")) == (status, True), said
    kept = site.rows("select (select count(*) from contacts) + (select count(*) from messages)")[0][0]
    assert kept == (2 if status == 202 else 0)


def test_only_a_key_for_sending_sends_and_reads(site: Site) -> None:
    with site.database.transaction() as session:
        ingest = users.create_api_key(session, "web", ("ingest", "read", "receipts"))
    for key, status in ((ingest, 403), ("unknown", 401)):
        assert site.post("/v1/messages", {}, auth=(key, "")).status_code == status
        assert site.client.get("/v1/messages/abc", auth=(key, "")).status_code == status
    assert state(site, "abc")["status"] == 404
    assert site.client.get("/v1/messages", auth=(site.key, "")).status_code == 405
    assert site.post("/v1/messages/abc", {}).status_code == 405


@pytest.fixture(scope="module")
def fuzzed(postgres_url: str) -> Iterator[Site]:
    database = new_database(postgres_url)
    with serving(database) as made:
        prepare(made)
        made.client.get("/healthz")
        yield made
    drop(database)


FIELDS = ("content", "to", "messageId", "properties", "send_at", "expires", "more")
recipients = st.dictionaries(st.sampled_from(("userId", "email", "phone")), hostile.scalars | st.just("a@x.example"))
documents = st.one_of(
    st.fixed_dictionaries({"content": st.just("receipt"), "to": recipients, "properties": hostile.values}),
    st.fixed_dictionaries(
        {"content": st.just("code"), "to": st.just(TO)}, optional=dict.fromkeys(FIELDS[2:-1], hostile.scalars)
    ),
    st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, hostile.values)),
    hostile.values,
)


@fuzz(100)
@given(documents)
@example({"content": "receipt", "to": {"phone": "+" + "9" * 400}})
@example({"content": "receipt", "to": TO, "send_at": "9999-12-31T23:59:59-14:00"})
@example({"content": "receipt", "to": TO, "expires": "0001-01-01T00:00:00+14:00"})
def test_no_body_is_answered_with_a_fault(fuzzed: Site, document: Any) -> None:
    body = as_bytes(document)
    with within(0.25, body):
        answer = fuzzed.post("/v1/messages", body)
    assert answer.status_code in {202, 400, 404, 413}, (answer.status_code, answer.text[:300], body[:500])
    assert answer.status_code == 202 or answer.json["message"]


def test_a_call_chooses_who_the_mail_is_from(site: Site, tmp_path: Path) -> None:
    assert post(site, **{"from": "shop"})[0] == 404
    with site.database.transaction() as session:
        house = House("http://x", SIGNER.sealing_keys)
        form = Form(slug="shop", name="Shop", address="a@shop.example")
        identities.put(session, form, house, "ann", clock.now(session))
    assert post(site, **{"from": "shop"})[0] == 202
    [mail] = mails(site, tmp_path)
    assert "From: Shop <a@shop.example>" in mail
