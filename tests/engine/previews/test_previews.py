"""A content as one contact would get it, and as a test that colleagues get."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from engine.channels.allowed import parse
from engine.contacts import suppressions
from engine.content import store
from engine.errors import ConfigurationError, InvalidInput, NotFound, ProviderError
from engine.identities import store as identities
from engine.identities.store import Form
from engine.identities.values import House
from engine.model import AuditLog, Contact, Message
from engine.previews import handing, look, message, spam
from engine.signing import Signer
from engine.workspace import Workspace
from tests.engine.content.samples import content, mjml, noon
from tests.smtp import recording_server

SITE, SHOP = "https://c.example", Workspace(name="Shop", sender_address="hi@shop.example", postal_address="1 Road")
SIGNER = Signer(b"only for tests")
HELLO = content(
    mjml('Hi {{ first_name }}, {{ plan }}: <a href="https://a.example/">a</a> <a href="{{ event.url }}">b</a>'),
    "subject: For {{ first_name }}\nutm: {source: news}",
)
# In the form of /checkv2, with rules that an rspamd without a network and without training does not come to.
ANSWER = {
    "is_skipped": False,
    "score": 9.1,
    "required_score": 15.0,
    "action": "add header",
    "symbols": {
        "MIME_HTML_ONLY": {"name": "MIME_HTML_ONLY", "score": 0.2, "description": "Messages that have only HTML part"},
        "HFILTER_HOSTNAME_UNKNOWN": {"name": "HFILTER_HOSTNAME_UNKNOWN", "score": 2.5, "description": "Unknown host"},
        "BAYES_SPAM": {"name": "BAYES_SPAM", "score": 5.1, "description": "Message probably spam", "options": ["99%"]},
        "ARC_NA": {"name": "ARC_NA", "score": 0.0, "description": "ARC signature absent"},
        "SUBJ_ALL_CAPS": {"name": "SUBJ_ALL_CAPS", "score": 1.3, "description": "Subject contains mostly capitals"},
    },
    "message-id": "preview@shop.example",
}


def save(session: Session, source: str = HELLO) -> message.Content:
    store.save(session, source, "hello", "email", noon)
    return message.find(session, "hello")


def test_a_preview_has_the_contacts_own_values_and_tracks_nothing(session: Session) -> None:
    found = save(session)
    ada = Contact(email="ada@x.example", attributes={"first_name": "Ada"})
    session.add(ada)
    session.flush()
    shown = message.render(session, found, message.contact(session, ada.id), SHOP, SITE, noon)
    assert (shown.subject, shown.missing) == ("For Ada", ("plan", "url"))
    assert dict(shown.headers)["To"] == "Ada <ada@x.example>" and "1 Road" in shown.text
    assert "/o/" not in shown.html and "/c/" not in shown.html
    assert look.links(shown.html) == ["https://a.example/?utm_source=news", "#"]
    told = [(one["kind"], one["line"]) for one in look.findings(found, shown)]
    assert ("link", 0) in told and ("uncovered", 5) in told and ("missing", 0) in told
    assert session.scalar(select(func.count()).select_from(Message)) == 0


def test_files_that_go_along_leave_the_preview_as_it_is(session: Session) -> None:
    store.save(
        session, content(mjml("Hi"), "subject: a\nattachments: [a.pdf]"), "files", "email", noon, read=str.encode
    )
    found = message.find(session, "files")
    shown = message.render(session, found, message.nobody(found), SHOP, SITE, noon)
    assert "Hi" in shown.html and "Hi" in shown.text and "a.pdf" not in shown.text


def test_without_a_contact_sample_values_stand_for_all_variables(session: Session) -> None:
    found = save(session)
    shown = message.render(session, found, message.nobody(found), SHOP, SITE, noon)
    assert (shown.subject, shown.missing, shown.error) == ("For Alex", (), "")
    assert "https://example.com/?utm_source=news" in look.links(shown.html)
    counting = save(session, content(mjml("{% for one in things %}{{ one.n }}{% endfor %}{{ 10 - odd }}")))
    assert not message.render(session, counting, message.nobody(counting), SHOP, SITE, noon).error


def test_a_content_that_fails_for_a_contact_says_why(session: Session) -> None:
    found = save(session, content(mjml("Hi"), 'subject: "{{ first_name }}"'))
    contact = Contact(email="b@x.example")
    session.add(contact)
    session.flush()
    shown = message.render(session, found, message.contact(session, contact.id), SHOP, SITE, noon)
    assert "subject would be empty" in shown.error and not shown.html
    with pytest.raises(NotFound):
        message.find(session, "nothing")
    with pytest.raises(NotFound):
        message.contact(session, 10**9)


def test_a_text_message_is_counted_in_parts(session: Session) -> None:
    store.save(session, "Hi {{ first_name }} {{ unsubscribe_url }}", "ping", "sms", noon)
    found = message.find(session, "ping")
    shown = message.render(session, found, message.nobody(found), SHOP, SITE, noon)
    assert (shown.text, shown.parts) == ("Hi Alex https://c.example/u/preview", 1)
    with pytest.raises(InvalidInput, match="text message"):
        handing.prepare(
            session, found, message.nobody(found), ["a@x.example"], SHOP, SITE, "me", noon, SIGNER, allowed=None
        )


def test_in_the_dark_the_rules_for_the_dark_hold() -> None:
    page = "<style>@media (prefers-color-scheme:dark){a{}} @media ( Prefers-Color-Scheme : light ){b{}}</style>"
    assert look.has_dark(page) and not look.has_dark("<p>dark</p>")
    assert look.dark(page).endswith("@media (min-width:0){a{}} @media (max-width:0){b{}}</style>")


def test_a_test_send_arrives_marked_and_is_in_no_ledger(session: Session) -> None:
    found = save(session)
    to = ["ann@x.example", " bob@x.example ", "ann@x.example"]
    letters = handing.prepare(session, found, message.nobody(found), to, SHOP, SITE, "me", noon, SIGNER, allowed=None)
    with recording_server(keep=True) as server:
        handed = handing.hand_over(letters, server.url)
    assert [(each.recipient, each.error) for each in handed] == [("ann@x.example", ""), ("bob@x.example", "")]
    assert [recipient for recipient, _ in server.messages] == ["ann@x.example", "bob@x.example"]
    for recipient, data in server.messages:
        assert b"Subject: [Test] For Alex\r\n" in data and b"To: <" + recipient.encode() in data
        assert b"/c/" not in data and b"/o/" not in data
    assert session.scalar(select(func.count()).select_from(Message)) == 0
    [entry] = session.scalars(select(AuditLog).where(AuditLog.action == "content tested"))
    assert (entry.actor, entry.object, len(entry.detail["to"])) == ("me", "hello", 2)
    assert "ann" not in str(entry.detail)


def test_previews_and_test_sends_are_from_the_identity_that_the_content_names(session: Session) -> None:
    with recording_server(keep=True) as main, recording_server(keep=True) as own:
        form = Form(slug="club", name="Club", address="a@club.example", relays=own.url, selector="s1")
        identities.put(session, form, House(SITE, SIGNER.sealing_keys), "ann", noon)
        found = save(session, HELLO.replace("utm:", "from: club\nutm:"))
        preview = message.render(session, found, message.nobody(found), SHOP, SITE, noon)
        assert dict(preview.headers)["From"] == "Club <a@club.example>"
        nobody = message.nobody(found)
        letters = handing.prepare(session, found, nobody, ["x@x.example"], SHOP, SITE, "me", noon, SIGNER, allowed=None)
        handing.hand_over(letters, main.url)
    assert main.messages == []
    [(_, data)] = own.messages
    assert b"From: Club <a@club.example>" in data and data.count(b"DKIM-Signature:") == 2


def test_a_test_send_refuses_too_many_bad_and_suppressed_addresses(session: Session) -> None:
    found = save(session)

    def prepare(*to: str, only: str = "") -> object:
        allowed, who = parse(only), message.nobody(found)
        return handing.prepare(session, found, who, to, SHOP, SITE, "me", noon, SIGNER, allowed=allowed)

    for to in ([], ["a b@x.example"], ["nobody"], [f"a{n}@x.example" for n in range(11)]):
        with pytest.raises(InvalidInput):
            prepare(*to)
    key = SIGNER.address_hmac("email", "gone@x.example")
    suppressions.add(session, "email", [(key, "complaint")], "me", noon)
    with pytest.raises(InvalidInput, match="must not be written to"):
        prepare("gone@x.example")
    with pytest.raises(InvalidInput, match="CAIRN_ALLOWED_RECIPIENTS"):
        prepare("a@ours.example", "a@x.example", only="@ours.example")
    assert session.scalar(text("select count(*) from audit_log where action = 'content tested'")) == 0


def test_a_relay_that_is_away_is_told(session: Session) -> None:
    found = save(session)
    letters = handing.prepare(
        session, found, message.nobody(found), ["a@x.example"], SHOP, SITE, "me", noon, SIGNER, allowed=None
    )
    [handed] = handing.hand_over(letters, "smtp://127.0.0.1:1")
    assert "127.0.0.1:1" in handed.error


@contextmanager
def answering(status: int, body: bytes) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """An HTTP server that answers each POST with this."""
    asked: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_spam_score_leaves_out_what_only_a_journey_through_servers_gives() -> None:
    with answering(200, json.dumps(ANSWER).encode()) as (url, asked):
        found = spam.ask(url, b"Subject: x\r\n\r\ny\r\n")
    assert asked == [("/checkv2", b"Subject: x\r\n\r\ny\r\n")]
    assert (found.score, found.required, found.is_spam) == (6.6, 15.0, False)
    assert [each.name for each in found.symbols] == ["BAYES_SPAM", "SUBJ_ALL_CAPS", "MIME_HTML_ONLY"]


@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (200, b"no json"), (200, b"[]"), (200, b'{"score": null}')])
def test_an_rspamd_that_does_not_answer_well_is_told(status: int, body: bytes) -> None:
    with answering(status, body) as (url, _), pytest.raises(ProviderError):
        spam.ask(url, b"x")


def test_an_rspamd_that_is_away_or_has_no_address_is_told() -> None:
    with pytest.raises(ProviderError, match="does not answer"):
        spam.ask("http://127.0.0.1:1", b"x")
    for url in ("rspamd", "http://h:port", "ftp://h"):
        with pytest.raises(ConfigurationError):
            spam.ask(url, b"x")
