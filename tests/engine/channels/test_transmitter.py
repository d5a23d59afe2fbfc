"""The transmitter against servers that behave, refuse, hang and vanish."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.channels.journal import Journal
from engine.channels.provider import Outgoing, Rendered, RenderFailure, Result
from engine.channels.smtp import Timeouts, Transmitter
from engine.errors import ProviderError
from tests.engine.channels.servers import Scripted, close, free_port, hang, letters, pipelining, scripted, smtp_sink

pytestmark = pytest.mark.timeout(30)
plain = b"250-test\r\n250 SIZE 1000000"
Make = Callable[..., Transmitter]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal")
    yield made
    made.close()


@pytest.fixture
def make(journal: Journal) -> Iterator[Make]:
    """Makes transmitters that are closed after the test."""
    made: list[Transmitter] = []

    def maker(url: str, **options: object) -> Transmitter:
        made.append(Transmitter(url, journal, hostname="tests.example", **options))  # type: ignore[arg-type]
        return made[-1]

    yield maker
    for each in made:
        each.close()


def outcomes(results: list[Result]) -> dict[str, int]:
    return dict(Counter(result.outcome for result in results))


@pytest.mark.parametrize("ehlo", [pipelining, plain], ids=["pipelined", "lock-step"])
def test_every_message_arrives_once(make: Make, ehlo: bytes) -> None:
    with scripted(ehlo=ehlo) as server:
        results = make(server.url, connections=4).transmit(letters(50))
    assert sorted(result.id for result in results) == list(range(1, 51))
    assert outcomes(results) == {"accepted": 50}
    assert len(server.messages) == 50
    assert sorted(line for line in server.lines if line.startswith("RCPT"))[0] == "RCPT TO:<user10@example.com>"


def test_without_pipelining_no_command_goes_out_before_the_last_one_is_answered(make: Make) -> None:
    def slowly(server: Scripted, line: str) -> bytes:
        heard.append(len(server.lines))
        time.sleep(0.05)
        return b"250 ok"

    heard: list[int] = []
    with scripted(ehlo=plain, mail=slowly, rcpt=slowly) as server:
        make(server.url).transmit(letters(2))
    assert [line.split(" ")[0] for line in server.lines[:7]] == ["EHLO", "MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA"]


def test_connections_stay_open_between_calls(make: Make) -> None:
    with scripted() as server:
        transmitter = make(server.url)
        transmitter.transmit(letters(1))
        transmitter.transmit(letters(1))
        assert server.connections == 1


@pytest.mark.parametrize("ehlo", [pipelining, plain], ids=["pipelined", "lock-step"])
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "end"])
@pytest.mark.parametrize(("code", "outcome"), [(b"450 4.2.0 later", "retry"), (b"550 5.1.1 no such user", "failed")])
def test_a_refusal_strikes_its_own_message_only(make: Make, ehlo: bytes, stage: str, code: bytes, outcome: str) -> None:
    seen: Counter[str] = Counter()

    def second(server: Scripted, line: str) -> bytes:
        seen[stage] += 1
        return code if seen[stage] == 2 else (b"354 go" if stage == "data" else b"250 ok")

    with scripted(ehlo=ehlo, **{stage: second}) as server:
        results = make(server.url, connections=1).transmit(letters(5))
    refused = [result for result in results if result.outcome != "accepted"]
    assert [(result.id, result.outcome, result.code) for result in refused] == [(2, outcome, int(code[:3]))]
    assert refused[0].stage == {"end": "dot"}.get(stage, stage)
    assert len(server.messages) == 4
    assert server.connections == 1


def test_a_354_in_spite_of_a_refused_recipient_gets_a_lone_dot_and_nothing_of_the_message(make: Make) -> None:
    def no_user2(server: Scripted, line: str) -> bytes:
        return b"550 5.1.1 no" if "user2@" in line else b"250 ok"

    def nothing(server: Scripted, data: str) -> bytes:
        return b"250 ok" if data else b"554 no valid recipients"

    with scripted(rcpt=no_user2, end=nothing) as server:
        results = make(server.url, connections=1).transmit(letters(4))
    assert outcomes(results) == {"accepted": 3, "failed": 1}
    assert len(server.messages) == 3


def test_disconnect_after_the_data_is_unknown_and_the_next_message_goes_on(make: Make) -> None:
    def second(server: Scripted, data: str) -> bytes:
        return close if len(server.messages) == 1 and server.connections == 1 else b"250 ok"

    with scripted(end=second) as server:
        results = make(server.url, connections=1).transmit(letters(5))
    assert outcomes(results) == {"accepted": 4, "unknown": 1}
    assert [result.id for result in results if result.outcome == "unknown"] == [2]


def test_disconnect_before_the_data_loses_and_doubles_nothing(make: Make) -> None:
    def sometimes(server: Scripted, line: str) -> bytes:
        return close if server.connections % 2 else b"354 go"

    with scripted(data=sometimes) as server:
        results = make(server.url, connections=2).transmit(letters(10))
    assert outcomes(results) == {"accepted": 10}
    assert len(server.messages) == 10


def test_a_message_under_which_every_connection_breaks_does_not_stop_the_others(make: Make) -> None:
    def poison(server: Scripted, line: str) -> bytes:
        return close if "user3@" in line else b"250 ok"

    with scripted(rcpt=poison) as server:
        results = make(server.url, connections=1).transmit(letters(6))
    assert outcomes(results) == {"accepted": 5, "retry": 1}


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_421_in_the_envelope_sends_the_message_over_another_connection(make: Make, stage: str) -> None:
    def once(server: Scripted, line: str) -> bytes:
        first = server.connections == 1 and len(server.messages) == 1
        return b"421 4.3.2 closing" if first else (b"354 go" if stage == "data" else b"250 ok")

    with scripted(**{stage: once}) as server:
        results = make(server.url, connections=1).transmit(letters(4))
    assert outcomes(results) == {"accepted": 4}
    assert len(server.messages) == 4


def test_421_to_the_data_is_an_answer_to_it(make: Make) -> None:
    with scripted(end=b"421 4.3.2 closing") as server:
        results = make(server.url, connections=1).transmit(letters(1))
    assert [(result.outcome, result.code) for result in results] == [("retry", 421)]


def test_a_server_with_few_connections_gets_few(make: Make) -> None:
    def crowded(server: Scripted, line: str) -> bytes:
        return b"421 4.7.0 too many connections" if server.open > 2 else b"220 hi"

    with scripted(greet=crowded) as server:
        results = make(server.url, connections=8).transmit(letters(100))
    assert outcomes(results) == {"accepted": 100}


def test_no_answer_in_time_is_unknown_after_the_data_and_harmless_before(make: Make) -> None:
    def hangs(server: Scripted, line: str) -> bytes:
        return hang if server.connections == 1 else b"250 ok"

    short = Timeouts(command=0.3, data=0.3, dot=0.3)
    with scripted(end=hangs) as server:
        assert outcomes(make(server.url, connections=1, timeouts=short).transmit(letters(2))) == {
            "unknown": 1,
            "accepted": 1,
        }
    with scripted(rcpt=hangs) as server:
        assert outcomes(make(server.url, connections=1, timeouts=short).transmit(letters(2))) == {"accepted": 2}


def test_a_server_that_is_down_leaves_everything_untried_and_says_why(make: Make) -> None:
    transmitter = make(f"smtp://127.0.0.1:{free_port()}")
    with pytest.raises(ProviderError, match="connection refused"):
        transmitter.open()
    results = transmitter.transmit(letters(20))
    assert outcomes(results) == {"not_tried": 20}
    assert "connection refused" in results[0].text


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"greet": b"554 no service"}, "554"),
        ({"greet": b"garbage"}, "no SMTP reply"),
        ({"ehlo": b"550 go away"}, "550"),
        ({"greet": close}, "closed the connection"),
        ({"mail": b"530 5.7.0 authentication required"}, "refuses the sender"),
        ({"mail": b"550 5.7.1 sender not allowed"}, "refuses the sender"),
    ],
)
def test_a_server_that_refuses_us_costs_no_message(make: Make, answers: dict[str, bytes], words: str) -> None:
    with scripted(**answers) as server:
        results = make(server.url).transmit(letters(10))
    assert outcomes(results) == {"not_tried": 10}
    assert words in results[0].text


def test_ehlo_refused_falls_back_to_helo(make: Make) -> None:
    with scripted(ehlo=b"502 unknown") as server:
        assert outcomes(make(server.url).transmit(letters(3))) == {"accepted": 3}
        assert "HELO tests.example" in server.lines


def test_lines_that_begin_with_a_dot_arrive_whole(make: Make) -> None:
    body = b".first\r\nSubject: x\r\n\r\n.\r\n..two\r\nbare\n.\nend"
    with scripted() as server:
        make(server.url).transmit(letters(1, body))
    assert server.messages == [b".first\r\nSubject: x\r\n\r\n.\r\n..two\r\nbare\r\n.\r\nend\r\n"]


def test_what_the_server_cannot_take_fails_by_itself(make: Make) -> None:
    def items() -> list[Outgoing]:
        big = b"x" * 70 + b"\r\n"
        return [
            Outgoing(1, 1, "a@b.example", "ok@b.example", lambda: Rendered(b"x")),
            Outgoing(2, 1, "a@b.example", "big@b.example", lambda: Rendered(big * 20_000)),
            Outgoing(3, 1, "a@b.example", "bad>@b.example\r\nRCPT TO:<x@y>", lambda: Rendered(b"x")),
            Outgoing(4, 1, "a@b.example", "ü@b.example", lambda: Rendered(b"x")),
            Outgoing(5, 1, "a@b.example", "ok@bücher.example", lambda: Rendered(b"x")),
            Outgoing(6, 1, "a@b.example", "nobody", lambda: Rendered(b"x")),
            Outgoing(7, 1, "a@b.example", "eight@b.example", lambda: Rendered("ü".encode())),
        ]

    with scripted() as server:
        results = {result.id: result for result in make(server.url).transmit(items())}
    codes = {number: result.enhanced for number, result in results.items() if result.outcome == "failed"}
    assert codes == {2: "5.3.4", 3: "5.1.3", 4: "5.6.7", 6: "5.1.3"}
    assert "RCPT TO:<ok@xn--bcher-kva.example>" in server.lines
    assert any(line.endswith("BODY=8BITMIME") for line in server.lines)


def test_a_message_that_does_not_render_fails_alone(make: Make) -> None:
    def fails() -> Rendered:
        raise RenderFailure("no subject")

    def breaks() -> Rendered:
        raise ZeroDivisionError

    items = letters(3)
    items[1:1] = [
        Outgoing(8, 1, "a@b.example", "c@d.example", fails),
        Outgoing(9, 1, "a@b.example", "c@d.example", breaks),
    ]
    with scripted() as server:
        results = {result.id: result for result in make(server.url).transmit(items)}
    assert outcomes(list(results.values())) == {"accepted": 3, "failed": 2}
    assert (results[8].stage, results[8].text) == ("render", "no subject")


def test_multi_line_replies_are_one_answer(make: Make) -> None:
    with scripted(
        rcpt=b"550-5.1.1 no such\r\n550 5.1.1 user here", end=b"250-2.0.0 fine\r\n250 2.0.0 queued"
    ) as server:
        result = make(server.url).transmit(letters(1))[0]
    assert (result.code, result.enhanced, result.text) == (550, "5.1.1", "no such user here")


def test_each_try_and_each_reply_stands_in_the_journal(make: Make, journal: Journal) -> None:
    def second(server: Scripted, data: str) -> bytes:
        return close if len(server.messages) == 1 and server.connections == 1 else b"250 2.0.0 queued as 1"

    with scripted(end=second) as server:
        make(server.url, connections=1).transmit(letters(3))
    entries = journal.known().entries
    assert {key: entry.outcome if entry else None for key, entry in entries.items()} == {
        (1, 1): "accepted",
        (2, 1): "unknown",
        (3, 1): "accepted",
    }
    assert entries[1, 1] == Result(1, "accepted", 250, "2.0.0", "queued as 1", "dot")


def test_nothing_is_sent_that_cannot_be_journalled(make: Make, journal: Journal) -> None:
    def full(tries: object = ()) -> None:
        raise OSError(28, "No space left on device")

    journal.append = full  # type: ignore[method-assign, assignment]
    with scripted() as server:
        results = make(server.url).transmit(letters(10))
    assert outcomes(results) == {"not_tried": 10}
    assert "No space left" in results[0].text
    assert server.messages == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), {"accepted": 200}),
        (("-p",), {"accepted": 200}),
        (("-e",), {"accepted": 200}),
        (("-r", "RCPT"), {"retry": 200}),
        (("-f", "RCPT"), {"failed": 200}),
        (("-f", "RCPT", "-p"), {"failed": 200}),
        (("-r", "DATA"), {"retry": 200}),
        (("-f", "."), {"failed": 200}),
        (("-r", "."), {"retry": 200}),
        (("-f", "EHLO"), {"accepted": 200}),
        (("-q", "RCPT"), {"not_tried": 200}),
        (("-q", "CONNECT"), {"not_tried": 200}),
        (("-f", "RCPT", "-B", "550 5.1.1 unknown"), {"failed": 200}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_postfix_smtp_sink(make: Make, options: tuple[str, ...], expected: dict[str, int]) -> None:
    with smtp_sink(*options) as url:
        results = make(url, connections=4).transmit(letters(200))
    assert outcomes(results) == expected
    assert sorted(result.id for result in results) == list(range(1, 201))


def test_postfix_smtp_sink_that_vanishes_after_each_message(make: Make) -> None:
    with smtp_sink("-q", ".") as url:
        results = make(url, connections=4).transmit(letters(40))
    assert sorted(result.id for result in results) == list(range(1, 41))
    assert set(outcomes(results)) <= {"unknown", "retry", "not_tried"}
