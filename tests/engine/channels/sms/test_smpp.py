"""SMPP against a server of another library."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import smpp34

from engine.channels.journal import Journal
from engine.channels.provider import Result
from engine.channels.sms import gateway
from engine.channels.sms.text import codec, parted, readable
from engine.errors import ProviderError
from tests.engine.channels.gateways import NAMING, centre, text_to

NUMBER = "+4915112345678"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _read(pdu: Any) -> str:
    return readable(parted(pdu.short_message, pdu.esm_class)[1], codec(pdu.data_coding))


def send(folder: Path, port: int, *words: str, sender: str = "SHOP") -> list[Result]:
    provider = gateway.provider(f"smpp://cairn:secret@127.0.0.1:{port}?from={sender}", Journal(folder), NAMING)
    try:
        return provider.submit([text_to(NUMBER, one, n) for n, one in enumerate(words, 1)]).result(60)
    finally:
        provider.close()


def test_a_text_arrives_in_the_alphabet_that_it_fits(tmp_path: Path) -> None:
    with centre(free_port(), lambda _: "id-7") as server:
        results = send(tmp_path, server.port, "Price 5€ [now]", "Привет 👋")
    assert [(one.outcome, one.text) for one in results] == [("accepted", "id-7")] * 2
    first, second = server.submitted
    assert (first.data_coding, _read(first)) == (0, "Price 5€ [now]")
    assert (second.data_coding, _read(second)) == (8, "Привет 👋")
    assert (first.destination_addr, first.dest_addr_ton, first.source_addr, first.source_addr_ton) == (
        "4915112345678", 1, "SHOP", 5)  # fmt: skip


@pytest.mark.parametrize("words", ["0123456789" * 40, "{€" * 100, "ж😀" * 60])
def test_a_long_text_is_cut_and_can_be_put_together_again(tmp_path: Path, words: str) -> None:
    with centre(free_port(), lambda _: "id") as server:
        [result] = send(tmp_path, server.port, words)
    assert result.outcome == "accepted"
    parts = sorted(server.submitted, key=lambda one: one.short_message[5])
    headers = [one.short_message[:6] for one in parts]
    assert len(parts) > 1 and [head[5] for head in headers] == list(range(1, len(parts) + 1))
    assert len({head[3] for head in headers}) == 1 and {head[4] for head in headers} == {len(parts)}
    assert "".join(_read(one) for one in parts) == words
    assert [one.registered_delivery for one in parts] == [0] * (len(parts) - 1) + [1]
    assert max(len(one.short_message) for one in parts) <= 159


@pytest.mark.parametrize(
    ("status", "outcome", "enhanced"),
    [
        (smpp34.ESME_RTHROTTLED, "retry", "4.7.0"),
        (smpp34.ESME_RMSGQFUL, "retry", "4.7.0"),
        (smpp34.ESME_RINVDSTADR, "failed", "5.1.1"),
        (smpp34.ESME_RUNKNOWNERR, "failed", ""),
    ],
)
def test_statuses_and_what_they_mean(tmp_path: Path, status: int, outcome: str, enhanced: str) -> None:
    with centre(free_port(), lambda _: status) as server:
        [result] = send(tmp_path, server.port, "hello")
    assert (result.outcome, result.enhanced, result.code) == (outcome, enhanced, status)


def test_a_text_of_which_a_part_was_taken_is_not_tried_again(tmp_path: Path) -> None:
    answers = iter(["id", smpp34.ESME_RTHROTTLED, "id"])
    with centre(free_port(), lambda _: next(answers)) as server:
        [result] = send(tmp_path, server.port, "x" * 400)
    assert result.outcome == "failed" and "after 2 of its parts were taken" in result.text


def test_many_texts_are_under_way_at_a_time(tmp_path: Path) -> None:
    with centre(free_port(), lambda one: one.short_message.decode()) as server:
        results = send(tmp_path, server.port, *[f"text {n}" for n in range(200)])
    assert sorted(one.id for one in results) == list(range(1, 201))
    assert {one.text for one in results} == {f"text {n}" for n in range(200)}


def test_when_the_session_ends_what_was_under_way_is_unknown_and_the_rest_was_not_tried(tmp_path: Path) -> None:
    with centre(free_port(), lambda _: None) as server:
        results = send(tmp_path, server.port, *["hello"] * 30)
    outcomes = [one.outcome for one in sorted(results, key=lambda one: one.id)]
    assert len(outcomes) == 30 and set(outcomes) == {"unknown", "not_tried"}
    assert outcomes[0] == "unknown" and outcomes[-1] == "not_tried" and outcomes.count("unknown") <= 10


def test_no_server_no_try(tmp_path: Path) -> None:
    port = free_port()
    provider = gateway.provider(f"smpp://cairn:secret@127.0.0.1:{port}?from=SHOP", Journal(tmp_path), NAMING)
    with pytest.raises(ProviderError, match=f"smpp://127.0.0.1:{port}"):
        provider.open()
    assert [one.outcome for one in provider.submit([text_to(NUMBER, "hello")]).result(20)] == ["not_tried"]
    provider.close()
