"""Mail of several identities: by real relays of their own, signed with their keys; one that is away holds up nobody."""

from __future__ import annotations

import datetime as dt
import json
import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import dkim
import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from engine import workspace
from engine.db import Database
from engine.errors import InvalidInput, NotFound
from engine.identities import keys, store
from engine.identities.store import Form
from engine.identities.values import House
from engine.messages.sending import Sender
from engine.model import Message
from engine.receipts.verp import return_path
from engine.urls import origin_us
from tests.engine.channels.gateways import http_gateway
from tests.engine.channels.servers import free_port, scripted
from tests.engine.messages.ledger import fill, now, queue, save, sender, signer, states
from tests.smtp import recording_server

pytestmark = pytest.mark.timeout(60)
HOUSE = House("https://cairn.example", signer.sealing_keys)
Make = Callable[..., Sender]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes senders that are closed after the test."""
    made: list[Sender] = []

    def maker(url: str, **options: Any) -> Sender:
        made.append(sender(tmp_path, url, **options))
        return made[-1]

    yield maker
    for each in made:
        each.close()


def identity(session: Session, slug: str, **values: Any) -> None:
    values = {
        "name": f"The {slug}",
        "address": f"news@{slug}.example",
        "tracking_domain": f"go.{slug}.example",
    } | values
    store.put(session, Form(slug=slug, **values), HOUSE, "ann", now)


def ask_for(session: Session, *names: str | None) -> None:
    """The queued messages name these identities, in turn."""
    ids = session.execute(text("select id from messages order by id")).scalars().all()
    for place, id_ in enumerate(ids):
        session.execute(update(Message).where(Message.id == id_).values(sender=names[place % len(names)]))


def test_each_identity_sends_by_its_own_relay_with_its_own_headers(database: Database, make: Make) -> None:
    with recording_server(keep=True) as main, recording_server(keep=True) as own:
        with database.transaction() as session:
            fill(session, 6)
            identity(session, "shop", relays=own.url, reply_to="help@shop.example")
            ask_for(session, "shop", None)
        make(main.url).send(database)
    assert states(database) == {"accepted": 6}
    assert (main.accepted.total(), own.accepted.total()) == (3, 3)
    mail = message_from_bytes(own.messages[0][1])
    assert mail["From"] == "The shop <news@shop.example>"
    assert mail["Reply-To"] == "help@shop.example" or mail["Reply-To"] == "<help@shop.example>"
    assert str(mail["Message-ID"]).endswith("@shop.example>")
    assert b"https://go.shop.example/c/" in own.messages[0][1]
    assert str(mail["List-Unsubscribe"]).startswith("<https://go.shop.example/u/")
    assert b"go.shop.example" not in main.messages[0][1]


def test_mail_is_signed_with_the_keys_of_its_identity(database: Database, make: Make) -> None:
    with recording_server(keep=True) as main:
        with database.transaction() as session:
            fill(session, 1)
            identity(session, "shop", selector="s1")
            ask_for(session, "shop")
            known = store.find(session, "shop", HOUSE)
        make(main.url).send(database)
    assert known.dkim is not None
    records = {f"{key.selector}._domainkey.shop.example.".encode(): key.record().encode() for key in known.dkim.keys}
    data = main.messages[0][1]
    assert data.count(b"DKIM-Signature:") == 2
    names = [b"s=s1;", b"s=s1-ed;"]
    assert all(name in data for name in names)
    rsa = next(n for n in range(2) if data.split(b"DKIM-Signature:")[n + 1].count(b"rsa-sha256"))
    assert dkim.DKIM(data, minkey=2048).verify(idx=rsa, dnsfunc=lambda name, timeout=5: records[name])


def test_an_identity_sends_through_a_vendor_of_its_own(database: Database, make: Make) -> None:
    taken = b'{"ErrorCode": 0, "Message": "OK", "MessageID": "p-1"}'
    with recording_server() as main, http_gateway(lambda _: (200, taken)) as (port, asked):
        with database.transaction() as session:
            fill(session, 4)
            identity(session, "shop", relays=f"postmark+http://own-token@127.0.0.1:{port}")
            ask_for(session, "shop", None)
        make(main.url).send(database)
    assert states(database) == {"accepted": 4} and main.accepted.total() == 2
    assert [json.loads(each.body)["From"] for each in asked] == ["The shop <news@shop.example>"] * 2
    assert {each.headers["X-Postmark-Server-Token"] for each in asked} == {"own-token"}


def test_new_keys_wait_until_somebody_switches_to_them(database: Database, make: Make) -> None:
    def stands() -> tuple[list[str], list[str]]:
        with database.transaction() as session:
            found = store.find(session, "shop", HOUSE)
        both = [[key.selector for key in each.keys] if each else [] for each in (found.dkim, found.next)]
        return both[0], both[1]

    with database.transaction() as session:
        identity(session, "shop", selector="s1")
        keys.stage(session, "shop", "s2", signer.sealing_keys, "ann", now)
        with pytest.raises(InvalidInput, match="in use"):
            keys.stage(session, "shop", "S1", signer.sealing_keys, "ann", now)
    assert stands() == (["s1", "s1-ed"], ["s2", "s2-ed"])
    with database.transaction() as session:
        identity(session, "shop")
        keys.switch(session, "shop", "ann", now)
    assert stands() == (["s2", "s2-ed"], [])
    with database.transaction() as session, pytest.raises(NotFound):
        keys.switch(session, "shop", "ann", now)
    with database.transaction() as session:
        identity(session, "shop", address="news@other.example", selector="s3")
    assert stands() == (["s3", "s3-ed"], []), "keys of another domain are no use any more"


def test_an_identity_has_return_paths_of_its_own(database: Database, make: Make) -> None:
    with scripted() as server:
        with database.transaction() as session:
            fill(session, 2)
            identity(session, "shop", return_path="Bounces.shop.example")
            ask_for(session, "shop", None)
        make(server.url, bounces=return_path("bounces.house.example")).send(database)
        senders = sorted(line.partition("@")[2].partition(">")[0] for line in server.lines if line.startswith("MAIL"))
    assert senders == ["bounces.house.example", "bounces.shop.example"]
    with database.transaction() as session:
        assert [path.setting for path in store.return_paths(session)] == ["bounces.shop.example"]


def test_the_default_the_content_and_the_message_choose_in_this_order(database: Database, make: Make) -> None:
    named = "---\nsubject: Hi\nfrom: two\n---\n<html><body><p>Hi</p></body></html>"
    addressed = "---\nsubject: Hi\nfrom: Ann <ann@four.example>\n---\n<html><body><p>Hi</p></body></html>"
    with recording_server(keep=True) as main:
        with database.transaction() as session:
            people = fill(session, 1)
            for slug in ("one", "two", "three"):
                identity(session, slug)
            store.make_default(session, "one")
            queue(session, people, save(session, "named", source=named), step_id="b")
            queue(session, people, save(session, "addressed", source=addressed), step_id="c")
            session.execute(text("update contents set sender = 'two' where slug = 'named'"))
            queue(session, people, save(session, "named"), step_id="d", sender="three")
            queue(session, people, save(session, "addressed"), step_id="e", sender="three")
        make(main.url).send(database)
    domains = sorted(str(message_from_bytes(raw)["From"]).rpartition("@")[2].strip(">") for _, raw in main.messages)
    assert domains == ["four.example", "one.example", "three.example", "three.example", "two.example"]


def test_a_dead_relay_of_one_identity_holds_up_nobody_else(database: Database, make: Make) -> None:
    with recording_server() as main:
        with database.transaction() as session:
            fill(session, 400)
            identity(session, "shop", relays=f"smtp://127.0.0.1:{free_port()}")
            ask_for(session, "shop", None, None, None)
        own = make(main.url, batch=100)
        own.send(database, seconds=10)
    found = states(database)
    assert found.pop("accepted") == 300
    assert sum(found.values()) == 100 and set(found) <= {"queued:relay", "queued"}
    assert main.accepted.total() == 300


def test_identities_go_on_while_the_relay_of_the_installation_is_away(database: Database, make: Make) -> None:
    with recording_server() as own:
        with database.transaction() as session:
            fill(session, 10)
            identity(session, "shop", relays=own.url)
            ask_for(session, "shop", None)
        told = make(f"smtp://127.0.0.1:{free_port()}").turns(database)["email"]
    assert own.accepted.total() == 5
    assert states(database)["accepted"] == 5
    assert "connection refused" in told.unreachable


def test_a_relay_that_hangs_holds_up_nobody_in_later_turns(database: Database, make: Make) -> None:
    with recording_server() as main, socket.create_server(("127.0.0.1", 0)) as hanging:
        with database.transaction() as session:
            fill(session, 4)
            identity(session, "shop", relays=f"smtp://127.0.0.1:{hanging.getsockname()[1]}")
            ask_for(session, "shop", None)
        own = make(main.url)
        own.send(database, seconds=0.5)
        with database.transaction() as session:
            people = session.execute(text("select id from contacts")).scalars().all()
            queue(session, list(people), save(session), step_id="later")
        own.send(database, seconds=0.5)
        assert own.busy
        assert main.accepted.total() == 6


def test_messages_of_an_identity_that_is_gone_wait_and_say_why(database: Database, make: Make) -> None:
    with recording_server() as main:
        with database.transaction() as session:
            fill(session, 2)
            ask_for(session, "gone", None)
        make(main.url).send(database)
    assert states(database) == {"accepted": 1, "queued:no_identity": 1}


def test_a_default_is_not_removed_nor_what_messages_wait_for(database: Database) -> None:
    with database.transaction() as session:
        fill(session, 1)
        identity(session, "shop")
        identity(session, "other")
        ask_for(session, "shop")
        store.make_default(session, "other")
        with pytest.raises(InvalidInput, match="queue"):
            store.remove(session, "shop", "ann", now)
        with pytest.raises(InvalidInput, match="default"):
            store.remove(session, "other", "ann", now)
        with pytest.raises(NotFound):
            store.make_default(session, "nobody")
        store.make_default(session, "workspace")
        assert workspace.load(session).identity == ""
        store.remove(session, "other", "ann", now)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "No Slug"),
        ("slug", "workspace"),
        ("address", "nobody"),
        ("address", "a@b\r\nBcc: x@y"),
        ("reply_to", "TOKEN@shop.example"),
        ("reply_to", "reply@TOKEN.example"),
        ("relays", "mailgun://KEY@api.mailgun.net"),
        ("relays", "smtp://user:hunter2@host:port"),
        ("relays", "brevo://KEY@api.brevo.com"),
        ("return_path", "no domain"),
        ("tracking_domain", "https://go.example"),
        ("tracking_domain", "cairn.example"),
        ("selector", "a b"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(database: Database, field: str, value: str) -> None:
    values = {"slug": "shop", "name": "Shop", "address": "news@shop.example"} | {field: value}
    with database.transaction() as session, pytest.raises(InvalidInput) as refused:
        store.put(session, Form(**values), HOUSE, "ann", now)  # type: ignore[arg-type]
    assert refused.value.where == field
    assert "hunter2" not in str(refused.value)


def test_secrets_are_sealed_and_stay_as_they_are_when_nothing_is_said_of_them(database: Database) -> None:
    with database.transaction() as session:
        identity(session, "shop", relays="smtp://me:hunter2@127.0.0.1:25", selector="s1")
        before = store.find(session, "shop", HOUSE)
        identity(session, "shop", name="Renamed")
        after = store.find(session, "shop", HOUSE)
        stored = session.execute(text("select identities::text from identities")).scalar_one()
    assert after.relays == before.relays == "smtp://me:hunter2@127.0.0.1:25"
    assert after.name == "Renamed" and after.dkim is before.dkim
    assert "hunter2" not in stored and "PRIVATE" not in stored and "hunter2" not in repr(after)
    other = House("https://cairn.example", (b"another key",))
    with database.transaction() as session:
        broken = store.find(session, "shop", other)
        assert "CAIRN_SECRET_KEY" in broken.broken
        assert store.load(session, workspace.load(session), other).of("shop") is None
        form = Form(slug="shop", name="", address="news@shop.example", relays="smtp://127.0.0.1:25", selector="s2")
        store.put(session, form, other, "ann", now)
        assert not store.find(session, "shop", other).broken, "what is lost can be made anew"


def test_a_waiting_message_is_due_again_soon(database: Database, make: Make) -> None:
    with recording_server() as main:
        with database.transaction() as session:
            fill(session, 1, expires_at=now + dt.timedelta(seconds=5))
            ask_for(session, "gone")
        make(main.url).send(database)
    with database.transaction() as session:
        assert session.execute(text("select send_after from messages")).scalar_one() == now + dt.timedelta(seconds=5)


def test_answers_name_the_message_in_their_address(database: Database, make: Make) -> None:
    with recording_server(keep=True) as main:
        with database.transaction() as session:
            fill(session, 1)
            identity(session, "shop", reply_to="reply+TOKEN@shop.example")
            ask_for(session, "shop")
        make(main.url).send(database)
        with database.transaction() as session:
            message = session.execute(text("select id, origin_at from messages")).one()
    address = str(message_from_bytes(main.messages[0][1])["Reply-To"]).strip("<>")
    assert address == f"reply+{signer.reply(message.id, origin_us(message.origin_at))}@shop.example"
    assert len(address.partition("@")[0]) <= 64
