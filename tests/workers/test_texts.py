"""The SMPP session that receives, with a server of another library and a real database."""

from __future__ import annotations

import datetime as dt
import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import smpp34
from sqlalchemy import text

from engine.channels.sms import gateway, references
from engine.channels.sms.text import codec
from engine.db import Database
from engine.signing import signer
from tests.engine.channels.gateways import Centre, centre
from tests.engine.messages import ledger
from workers import pipeline, texts

NUMBER = "12025550000"
PATIENCE = 15.0


@contextmanager
def receiving(
    database: Database, named: Callable[[Any], str | int] = lambda one: f"id-{len(one.short_message)}"
) -> Iterator[Centre]:
    """A server that the session is bound to; `named` is how it calls a text."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    stop = threading.Event()
    with centre(port, named) as server:
        bound = gateway.parse(f"smpp://cairn:secret@127.0.0.1:{port}?from=SHOP")
        thread = threading.Thread(target=texts.receive, args=(bound, database, stop), daemon=True)
        thread.start()
        await_(lambda: bool(server.bound))
        yield server
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def await_(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.transaction() as session:
        return [tuple(row) for row in session.execute(text(query))]


def receipt(server: Centre, named: str, word: str) -> int:
    said = f"id:{named} sub:001 dlvrd:001 submit date:2611220101 done date:2611220102 stat:{word} err:000 text:hello"
    return server.deliver(source_addr=NUMBER, destination_addr="SHOP", esm_class=0x04, short_message=said.encode())


def test_a_stop_is_stored_before_it_is_acknowledged_and_answered(database: Database) -> None:
    with receiving(database) as server:
        status = server.deliver(source_addr=NUMBER, destination_addr="SHOP", short_message=b"STOP", data_coding=0)
        stored = rows(database, "select sender, keyword from incoming_texts")
        await_(lambda: len(server.submitted) == 1)
    assert status == 0 and stored == [(f"+{NUMBER}", "stop")]
    [answer] = server.submitted
    assert answer.destination_addr == NUMBER and b"unsubscribed" in answer.short_message


def test_a_text_in_ucs2_is_read(database: Database) -> None:
    with receiving(database) as server:
        words = "Привет".encode("utf-16-be")
        server.deliver(source_addr=NUMBER, destination_addr="SHOP", short_message=words, data_coding=8)
    assert rows(database, "select body from incoming_texts") == [("Привет",)]


@contextmanager
def sending(database: Database, home: Path, server: Centre) -> Iterator[Callable[[], None]]:
    """What it gives sends what is queued through the same server."""
    with database.transaction() as session:
        session.execute(text("insert into workspace_settings values ('sms_needs_consent', 'false')"))
    url = f"smpp://cairn:secret@127.0.0.1:{server.port}?from=SHOP"
    made = ledger.sender(home, "smtp://127.0.0.1:1", sms_url=url, signer=signer())
    yield lambda: made.turns(database, seconds=5)
    made.close()


@pytest.mark.parametrize(
    ("named", "told"),
    [("id-9", "id-9"), ("0001F4", "500"), ("500", "1f4"), ("42", "0000000042"), ("00A1", "a1")],
)
def test_a_receipt_may_come_before_the_commit_that_names_its_message_in_any_spelling(
    database: Database, tmp_path: Path, named: str, told: str
) -> None:
    with database.transaction() as session:
        ledger.fill(session, 1, channel="sms", slug="hi")
    with receiving(database, lambda _: named) as server:
        assert receipt(server, told, "DELIVRD") == 0
        pipeline.receipts(database)
        with sending(database, tmp_path, server) as send:
            send()
        assert rows(database, "select state from messages") == [("accepted",)]
        pipeline.receipts(database)
    assert rows(database, "select state from messages") == [("delivered",)]


def test_a_gateway_that_counts_anew_is_heard_again(database: Database, tmp_path: Path) -> None:
    with receiving(database, lambda _: "0000000007") as server, sending(database, tmp_path, server) as send:
        for number in range(2):
            with database.transaction() as session:
                ledger.fill(session, 1, channel="sms", slug="hi")
            send()
            assert receipt(server, "7", "DELIVRD") == receipt(server, "7", "DELIVRD") == 0
            pipeline.receipts(database)
            assert rows(database, "select state, count(*) from messages group by 1") == [("delivered", number + 1)]
    assert rows(database, "select count(*) from receipts") == [(2,)]


def test_a_name_of_long_ago_means_nobody(database: Database, tmp_path: Path) -> None:
    with receiving(database, lambda _: "7") as server, sending(database, tmp_path, server) as send:
        with database.transaction() as session:
            ledger.fill(session, 1, channel="sms", slug="hi")
        send()
        with database.transaction() as session:
            session.execute(text("update gateway_references set stored_at = stored_at - interval '15 days'"))
        receipt(server, "7", "DELIVRD")
        pipeline.receipts(database)
    assert rows(database, "select state from messages") == [("accepted",)]


def test_what_cannot_be_stored_is_to_come_again(database: Database) -> None:
    with receiving(database) as server:
        with database.transaction() as session:
            session.execute(text("alter table incoming_texts rename to away"))
        status = server.deliver(source_addr=NUMBER, destination_addr="SHOP", short_message=b"STOP")
        assert status == texts.COME_AGAIN
        with database.transaction() as session:
            session.execute(text("alter table away rename to incoming_texts"))
        assert server.deliver(source_addr=NUMBER, destination_addr="SHOP", short_message=b"STOP") == 0
    assert rows(database, "select keyword from incoming_texts") == [("stop",)]


def test_a_process_with_many_open_files_receives_all_the_same(database: Database) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]  # more than select() can take
    try:
        with receiving(database) as server:
            assert server.deliver(source_addr=NUMBER, destination_addr="SHOP", short_message=b"STOP") == 0
    finally:
        for one in held:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_states_on_the_way_change_nothing(database: Database) -> None:
    with receiving(database) as server:
        assert receipt(server, "id-1", "ENROUTE") == 0
        assert server.deliver(
            source_addr=NUMBER, destination_addr="SHOP", esm_class=0x04, short_message=b"",
            tlvs=[smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, b"77\0"), smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, b"\x05")],
        ) == 0  # fmt: skip
    [(named, kind)] = rows(database, "select provider_id, kind from receipts")
    assert (named.startswith("77:"), kind) == (True, "soft")


def piece(server: Centre, header: bytes, words: str, **fields: Any) -> int:
    body = header + words.encode("utf-16-be")
    return server.deliver(
        source_addr=NUMBER, destination_addr="SHOP", esm_class=0x40, short_message=body, data_coding=8, **fields
    )


def test_pieces_are_joined_by_their_header_in_any_order_and_answered_once(database: Database) -> None:
    with receiving(database) as server:
        assert piece(server, b"\x05\x00\x03\x07\x03\x03", "t stop") == 0
        assert piece(server, b"\x05\x00\x03\x07\x03\x01", "Bitte nicht mehr ") == 0
        assert piece(server, b"\x05\x00\x03\x07\x03\x01", "Bitte nicht mehr ") == 0
        assert rows(database, "select from incoming_texts") == [] and server.submitted == []
        assert piece(server, b"\x05\x00\x03\x07\x03\x02", "schreiben, sons") == 0
        await_(lambda: len(server.submitted) == 1)
        assert piece(server, b"\x05\x00\x03\x07\x03\x02", "schreiben, sons") == 0
    assert rows(database, "select body, keyword, sender from incoming_texts") == [
        ("Bitte nicht mehr schreiben, sonst stop", "stop", f"+{NUMBER}")
    ]


def test_pieces_by_wide_references_and_by_smpps_own_parameters_are_joined(database: Database) -> None:
    def segment(number: int, words: bytes) -> int:
        tlvs = [
            smpp34.Tlv(0x020C, b"\x12\x34"), smpp34.Tlv(0x020E, b"\x02"), smpp34.Tlv(0x020F, bytes([number])),
        ]  # fmt: skip
        return server.deliver(
            source_addr=NUMBER, destination_addr="SHOP", short_message=words, data_coding=0, tlvs=tlvs
        )

    with receiving(database) as server:
        assert piece(server, b"\x06\x08\x04\x01\x07\x02\x02", "wide") == 0
        assert piece(server, b"\x06\x08\x04\x02\x07\x02\x01", "not of it ") == 0
        assert piece(server, b"\x06\x08\x04\x01\x07\x02\x01", "very ") == 0
        assert segment(2, b"parameters") == 0 and segment(1, b"own ") == 0
    assert rows(database, "select body from incoming_texts order by id") == [("very wide",), ("own parameters",)]


def test_names_of_long_ago_are_dropped(database: Database) -> None:
    now = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    row = text("insert into gateway_references values ('g', :name, 1, :at, :at)")
    with database.transaction() as session:
        session.execute(row, [{"name": str(days), "at": now - dt.timedelta(days=days)} for days in (1, 29, 31)])
        references.forget(session, now)
    assert rows(database, "select reference from gateway_references order by 1") == [("1",), ("29",)]


def test_a_stop_after_a_start_is_meant_even_within_the_minute_and_a_repeat_is_not(database: Database) -> None:
    with receiving(database) as server:
        for words in (b"STOP", b"START", b"STOP", b"STOP"):
            server.deliver(source_addr=NUMBER, destination_addr="SHOP", short_message=words, data_coding=0)
    assert rows(database, "select keyword from incoming_texts order by id") == [("stop",), ("start",), ("stop",)]
    assert len(rows(database, "select from suppressions where channel = 'sms'")) == 1


@pytest.mark.parametrize(
    ("coding", "data"),
    [(0x18, "Привет"), (0xF1, "Hi €"), (0x06, "Привет"), (0x07, "שלום"), (0x0E, "안녕")],
)
def test_texts_are_read_in_the_alphabet_that_they_name(database: Database, coding: int, data: str) -> None:
    with receiving(database) as server:
        server.deliver(
            source_addr=NUMBER, destination_addr="SHOP", short_message=data.encode(codec(coding)), data_coding=coding
        )
    assert rows(database, "select body from incoming_texts") == [(data,)]


def test_a_gateway_that_says_too_fast_is_slowed_down_and_no_text_is_given_up(
    database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        ledger.fill(session, 6, channel="sms", slug="hi")
        session.execute(text("update messages set attempts = 7"))
    taken = iter(["one", "two"])
    with receiving(database, lambda _: next(taken, smpp34.ESME_RTHROTTLED)) as server:
        with sending(database, tmp_path, server) as send:
            send()
        states = "select state, reason, count(*) from messages group by 1, 2 order by 1"
        assert rows(database, states) == [("accepted", None, 2), ("queued", "deferred", 4)]
        assert rows(database, "select name, slow from rates") == [(f"smpp://127.0.0.1:{server.port}", 1)]
