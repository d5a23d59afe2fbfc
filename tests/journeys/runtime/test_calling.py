"""`webhook` and `notify` in whole journeys, against a real HTTP server and a real mail server."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from email import message_from_bytes

import pytest

from engine import workspace
from engine.errors import ConfigurationError, LanguageError
from engine.settings import settings
from engine.signing import signer
from engine.webhooks import call, endpoints
from journeys.explain import explain_journey
from journeys.publish import Refused
from journeys.runtime.numbers import step_counts
from tests.journeys.runtime.world import DAY, HOUR, World, journey
from tests.smtp import Conversation, recording_server
from tests.webhooks import Hook, listening
from workers import delivering, pipeline

MINUTE = dt.timedelta(minutes=1)
CALL = "- webhook: crm/task\n  id: call\n- wait: 10 days\n  id: rest"
ASK = """\
- webhook: crm/task
  id: call
  store: crm.id
- branch: Known
  id: known
  paths:
    - when: crm.id.number is 7
      do: [{set: {known: true}, id: mark}]
"""


@pytest.fixture
def hook(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """The endpoint `crm/task`, on loopback, which is allowed here."""
    monkeypatch.setenv("CAIRN_WEBHOOK_NETWORKS", "127.0.0.0/8")
    settings.cache_clear()
    with listening() as server:
        with world.database.transaction() as session:
            endpoints.add(session, "crm/task", server.url, signer().sealing_keys)
        yield server


def enter(world: World, *contacts: int, **properties: object) -> None:
    for contact in contacts:
        world.event(contact, "Signed Up", **properties)
    world.settle()


def deliveries(world: World) -> list[tuple[object, ...]]:
    return [tuple(row) for row in world.execute("select state, attempts, status from deliveries order by id")]


def test_a_call_tells_who_and_where_and_is_signed(world: World, hook: Hook) -> None:
    world.publish(journey(CALL))
    anna = world.contact("anna", plan="pro")
    enter(world, anna, seats=3)
    assert world.path(anna) == ["entered", "call:called", "rest:waiting"]
    [(headers, body)] = hook.calls
    [payload] = hook.payloads
    data = payload["data"]
    assert (data["journey"], data["step"], data["visit"], data["event"]) == ("j", "call", 1, {"seats": 3})
    assert data["contact"]["external_id"] == "anna" and data["contact"]["attributes"] == {"plan": "pro"}
    with world.database.transaction() as session:
        secret = endpoints.add(session, "crm/task", hook.url, signer().sealing_keys)
    signed = b"%s.%s.%s" % (headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body)
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert deliveries(world) == [("delivered", 1, 200)]


def test_if_skips_who_does_not_match(world: World, hook: Hook) -> None:
    world.publish(journey('- webhook: crm/task\n  id: call\n  if: plan is "pro"'))
    anna, ben = world.contact(plan="pro"), world.contact()
    enter(world, anna, ben)
    assert (world.path(anna)[1], world.path(ben)[1]) == ("call:called", "call:skipped")
    assert len(hook.calls) == 1


def test_a_response_is_stored_before_the_next_step(world: World, hook: Hook) -> None:
    hook.answer(201, {"number": 7})
    world.publish(journey(ASK))
    anna = world.contact()
    enter(world, anna)
    assert world.path(anna) == ["entered", "call:called", "call:settled", "known:branched", "mark:passed", "completed"]
    [(attributes,)] = world.execute("select attributes from contacts where id = :id", id=anna)
    assert attributes == {"crm": {"id": {"number": 7}}, "known": True}


@pytest.mark.parametrize("body", [b'{"id": 1e999}', b'{"a":' * 960 + b"1" + b"}" * 960, b'{"a": "\\u0000"}'])
def test_a_response_that_is_no_json_to_the_database_is_kept_as_text(world: World, hook: Hook, body: bytes) -> None:
    hook.answer(200, body)
    world.publish(journey(ASK))
    anna = world.contact()
    enter(world, anna)
    assert deliveries(world) == [("delivered", 1, 200)]
    assert world.execute("select attributes -> 'crm' ->> 'id' from contacts") == [(body.decode(),)]


def test_an_answer_that_cannot_be_written_fails_alone(
    world: World, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the check of responses lets through: nobody else of the batch is called again."""
    monkeypatch.setattr(call, "value_of", json.loads)
    for body in (b"7", b"1e999", b"8"):
        hook.answer(200, body)
    world.publish(journey(ASK))
    enter(world, *[world.contact() for _ in range(3)])
    world.live(HOUR)
    assert len(hook.calls) == 3
    assert sorted(deliveries(world)) == [("delivered", 1, 200), ("delivered", 1, 200), ("failed", 1, None)]
    assert "Infinity" in world.execute("select error from deliveries where state = 'failed'")[0][0]
    assert world.execute("select failures, error from webhooks") == [(0, None)]
    assert [row[0] for row in world.execute("select status from enrolments")] == ["completed"] * 3


def test_an_endpoint_that_speaks_no_http_is_a_failing_one(world: World, hook: Hook) -> None:
    """Its status line holds NUL, which the column of the last error would refuse."""

    def talk() -> None:
        caller, _ = server.accept()
        with caller:
            caller.recv(5000)
            caller.sendall(b"\0garbage\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        talking = threading.Thread(target=talk, daemon=True)
        talking.start()
        with world.database.transaction() as session:
            endpoints.add(session, "crm/task", f"http://127.0.0.1:{server.getsockname()[1]}/", signer().sealing_keys)
        world.publish(journey(CALL))
        enter(world, world.contact())
        talking.join(10)
    assert deliveries(world) == [("pending", 1, None)]
    [(failures, error)] = world.execute("select failures, error from webhooks")
    assert failures == 1 and "garbage" in error


def test_without_store_nobody_waits_for_the_response(world: World, hook: Hook) -> None:
    hook.answer(500)
    world.publish(journey(CALL))
    anna = world.contact()
    enter(world, anna)
    assert world.path(anna)[-1] == "rest:waiting"


def test_a_failed_call_comes_again_with_the_same_id(world: World, hook: Hook) -> None:
    for status in (500, 503):
        hook.answer(status)
    world.publish(journey(ASK))
    anna = world.contact()
    enter(world, anna)
    assert world.path(anna) == ["entered", "call:called"]
    world.live(HOUR)
    assert len(hook.calls) == 3
    assert len({headers["webhook-id"] for headers, _ in hook.calls}) == 1
    assert world.statuses(anna) == ["completed"]
    assert deliveries(world) == [("delivered", 3, 200)]


def test_a_worker_that_dies_over_a_call_leaves_it_to_be_called_again(world: World, hook: Hook) -> None:
    world.publish(journey(CALL))
    anna = world.contact()
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    world.execute("update deliveries set attempts = 1, next_at = next_at + interval '2 minutes'")
    assert delivering.deliver(world.database) == 0
    world.jump(2 * MINUTE)
    assert delivering.deliver(world.database) == 1
    assert deliveries(world) == [("delivered", 2, 200)]


def test_a_dead_endpoint_is_tried_by_one_and_nothing_is_lost(world: World, hook: Hook) -> None:
    world.publish(journey(CALL))
    people = [world.contact() for _ in range(5)]
    with world.database.transaction() as session:
        endpoints.add(session, "crm/task", "http://127.0.0.1:1/", signer().sealing_keys)
    enter(world, *people)
    world.live(HOUR)
    with world.database.transaction() as session:
        [status] = endpoints.listed(session)
        assert status.failing_since is not None and "refused" in status.error and status.pending == 5
        assert status.failures <= 10
        endpoints.add(session, "crm/task", hook.url, signer().sealing_keys)
    world.live(DAY)
    assert len(hook.calls) == 5
    with world.database.transaction() as session:
        [status] = endpoints.listed(session)
    assert (status.failing_since, status.pending, status.delivered) == (None, 0, 5)


def test_an_endpoint_that_is_gone_is_left_alone_until_it_is_asked_for(world: World, hook: Hook) -> None:
    hook.answer(410)
    world.publish(journey(CALL))
    enter(world, world.contact())
    world.live(10 * DAY)
    assert len(hook.calls) == 1
    with world.database.transaction() as session:
        endpoints.retry(session, "crm/task", world.now)
    world.settle()
    assert deliveries(world) == [("delivered", 2, 200)]


def test_an_entry_waits_for_a_response_a_day_at_most(world: World, hook: Hook) -> None:
    world.publish(journey(ASK))
    with world.database.transaction() as session:
        endpoints.add(session, "crm/task", "http://127.0.0.1:1/", signer().sealing_keys)
    anna = world.contact()
    enter(world, anna)
    world.live(DAY - HOUR)
    assert world.path(anna) == ["entered", "call:called"]
    world.live(HOUR)
    assert world.path(anna)[2:] == ["call:settled", "known:branched", "completed"]


def test_each_entry_calls_once_a_visit(world: World, hook: Hook) -> None:
    world.publish(journey(CALL, enter="on: Signed Up, again: always"))
    anna = world.contact()
    enter(world, anna)
    world.live(11 * DAY)
    enter(world, anna)
    assert len({headers["webhook-id"] for headers, _ in hook.calls}) == len(hook.calls) == 2


def test_loopback_is_refused_unless_it_is_allowed(world: World, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAIRN_WEBHOOK_NETWORKS")
    settings.cache_clear()
    world.publish(journey(CALL))
    enter(world, world.contact())
    assert hook.calls == []
    [(error,)] = world.execute("select error from webhooks")
    assert "no public address" in error


def test_one_silence_is_enough_for_a_batch(world: World, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty calls to an endpoint that hangs would hold a worker for minutes."""
    monkeypatch.setattr(call, "WHOLE_SECONDS", 0.3)
    hook.drip = 5.0
    for _ in range(30):
        hook.answer(200, "late")
    world.publish(journey(CALL))
    people = [world.contact() for _ in range(30)]
    for contact in people:
        world.event(contact, "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    assert delivering.deliver(world.database) == 30
    assert len(hook.calls) <= 8
    assert {state for state, _, _ in deliveries(world)} == {"pending"}


def test_the_story_of_a_contact_tells_its_calls(world: World, hook: Hook) -> None:
    hook.answer(500)
    world.publish(journey(CALL))
    anna = world.contact()
    enter(world, anna)
    with world.database.transaction() as session:
        [entry] = explain_journey(session, "j", anna, "anna", signer(), world.now).entries
    [told] = entry.calls
    assert (told.step, told.to, told.state, told.attempts, told.status) == ("call", "crm/task", "pending", 1, 500)
    assert told.error == "the receiver answered 500" and told.next_at is not None and told.next_at > world.now


# Notes ----------------------------------------------------------------------------------------------------------------

NOTE = "- notify: sales@shop.example\n  id: tell\n  message: 'Call {{ name }} about {{ event.plan }}.'"


def test_a_colleague_gets_a_mail_once_and_it_counts_nowhere(world: World) -> None:
    with recording_server(keep=True) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAIRN_SMTP_URL", server.url)
        settings.cache_clear()
        world.publish(journey(NOTE))
        anna = world.contact(name="Ada\r\nBcc: x@y.example")
        world.change(anna, name="Ada =?utf-8?q?x?=")
        enter(world, anna, plan="pro")
        world.live(HOUR)
    assert world.path(anna) == ["entered", "tell:notified", "completed"]
    [(recipient, raw)] = server.messages
    mail = message_from_bytes(raw)
    assert recipient == "sales@shop.example"
    assert mail["Subject"] == "Call Ada = ?utf-8?q?x?= about pro."
    assert "about pro." in str(mail.get_payload())
    assert deliveries(world) == [("delivered", 1, None)]
    assert world.execute("select * from messages") == world.execute("select * from message_rollups") == []


def test_a_note_comes_from_a_domain_beyond_ascii(world: World) -> None:
    with recording_server(keep=True) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAIRN_SMTP_URL", server.url)
        settings.cache_clear()
        with world.database.transaction() as session:
            workspace.put(session, "sender_address", "hello@faß.example")
        world.publish(journey("- notify: sales@shop.example\n  id: tell\n  message: Hallo"))
        enter(world, world.contact())
        world.live(HOUR)
    assert deliveries(world) == [("delivered", 1, None)]
    [(recipient, raw)] = server.messages
    mail = message_from_bytes(raw)
    assert recipient == mail["To"] == "sales@shop.example"
    assert "hello@xn--fa-hia.example" in mail["From"]  # IDNA 2008 keeps ß, where the one before wrote ss
    assert mail["Message-ID"].endswith("@xn--fa-hia.example>")


def test_a_note_goes_to_an_endpoint_too(world: World, hook: Hook) -> None:
    world.publish(journey("- notify: crm/task\n  id: tell\n  message: 'Hello {{ contact.email }}'"))
    anna = world.contact("anna")
    enter(world, anna)
    assert hook.payloads[0]["data"]["message"] == "Hello anna@x.example"


def test_a_note_that_does_not_render_fails_and_the_endpoint_is_not_to_blame(world: World, hook: Hook) -> None:
    world.publish(journey("- notify: crm/task\n  id: tell\n  message: '{% for n in range(size) %}{{ n }}{% endfor %}'"))
    poison, well = world.contact(size=10**9), world.contact(size=2)
    enter(world, poison, well)
    assert sorted(deliveries(world)) == [("delivered", 1, 200), ("failed", 1, None)]
    assert [payload["data"]["message"] for payload in hook.payloads] == ["01"]
    assert world.execute("select failures from webhooks") == [(0,)]


def test_a_note_that_may_have_arrived_is_not_sent_again(world: World) -> None:
    class Silent(Conversation):
        def _accept(self, body: bytes) -> None:
            self._take(body)
            self.transport.close()

    with recording_server(conversation=Silent) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAIRN_SMTP_URL", server.url)
        settings.cache_clear()
        world.publish(journey(NOTE))
        enter(world, world.contact())
        world.live(DAY)
        assert server.accepted["sales@shop.example"] == 1
    assert deliveries(world) == [("unknown", 1, None)]


@pytest.mark.parametrize("sender", ["hello@", ""])
def test_a_note_that_no_mail_can_carry_fails_and_the_calls_go_out(world: World, hook: Hook, sender: str) -> None:
    with world.database.transaction() as session:
        workspace.put(session, "sender_address", sender)
    world.publish(journey(f"{NOTE}\n{CALL}"))
    enter(world, world.contact(), world.contact())
    assert sorted(deliveries(world)) == [("delivered", 1, 200)] * 2 + [("failed", 1, None)] * 2
    with world.database.transaction() as session:
        counts = step_counts(session, 1)
    assert (counts["tell"].failed_calls, counts["call"].failed_calls) == (2, 0)
    assert all(error for (error,) in world.execute("select error from deliveries where state = 'failed'"))
    assert len(hook.calls) == 2


def test_a_mail_server_that_is_set_up_wrongly_holds_no_note_and_no_call(
    world: World, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish(journey(f"{NOTE}\n{CALL}"))
    world.event(world.contact(), "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    with monkeypatch.context() as patch:
        patch.setenv("CAIRN_SMTP_URL", "smtp://127.0.0.1:25?starttls=perhaps")
        settings.cache_clear()
        with pytest.raises(ConfigurationError, match="starttls"):
            delivering.deliver(world.database)
    settings.cache_clear()
    assert deliveries(world) == [("pending", 0, None), ("delivered", 1, 200)]
    world.settle()
    assert deliveries(world) == [("delivered", 1, None), ("delivered", 1, 200)]


def test_a_worker_that_dies_over_a_note_leaves_it_unknown(world: World) -> None:
    world.publish(journey(NOTE))
    world.event(world.contact(), "Signed Up")
    pipeline.match(world.database)
    pipeline.advance(world.database)
    world.execute("update deliveries set state = 'sending', attempts = 1, next_at = next_at + interval '10 minutes'")
    world.live(HOUR)
    assert deliveries(world) == [("unknown", 1, None)]


def test_a_note_waits_for_a_mail_server_that_is_away(world: World) -> None:
    world.publish(journey(NOTE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAIRN_SMTP_URL", "smtp://127.0.0.1:1")
        settings.cache_clear()
        enter(world, world.contact())
        assert deliveries(world) == [("pending", 1, None)]
    settings.cache_clear()
    world.live(HOUR)
    assert [row[0] for row in deliveries(world)] == ["delivered"]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("webhook: nowhere", "There is no webhook `nowhere`."),
        ("notify: nowhere", "There is no webhook `nowhere`."),
        ("notify: a@b@c", "`a@b@c` is no email address."),
        ("notify: a@b.example\n  message: '{{ name '", "The message:"),
    ],
)
def test_publishing_refuses_what_could_never_be_delivered(world: World, step: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        world.publish(journey(f"- {step}\n  id: tell"))
    assert words in refused.value.problems[0].message


def test_a_response_cannot_be_stored_in_a_field_of_ours(world: World) -> None:
    with pytest.raises(LanguageError, match="built-in"):
        world.publish(journey("- webhook: x\n  id: call\n  store: email"))
