"""What goes over the wire and what comes back, as general rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.channels.smtp.envelope import Unsendable, commands, prepare
from engine.channels.smtp.handshake import Extensions
from engine.channels.smtp.reply import ProtocolError, Reply, ReplyReader

pieces = st.sampled_from([b".", b"\r\n", b"\n", b"\r", b"a", b"..", b"\r\n.\r\n", b"\n.\n", b" "])


def received(wire: bytes) -> bytes:
    """What a server makes of the data (RFC 5321, section 4.5.2)."""
    lines = wire.split(b"\r\n")
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)


@given(st.lists(pieces, max_size=40).map(b"".join))
def test_no_message_can_end_early_or_lose_a_dot(data: bytes) -> None:
    wire = prepare(data)
    assert wire.endswith(b"\r\n")
    assert b"\r\n.\r\n" not in b"\r\n" + wire
    assert wire.count(b"\n") == wire.count(b"\r") == wire.count(b"\r\n")
    plain = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    assert received(wire) == (plain if plain.endswith(b"\r\n") else plain + b"\r\n")


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_address_can_add_a_command(sender: str, recipient: str) -> None:
    extensions = Extensions({"SMTPUTF8": (), "8BITMIME": (), "SIZE": ()})
    try:
        lines = commands(f"a{sender}@b.example", f"a{recipient}@c.example", b"x\r\n", extensions)
    except Unsendable:
        return
    for line, verb in zip(lines, (b"MAIL FROM:<", b"RCPT TO:<", b"DATA"), strict=True):
        assert line.startswith(verb)
        assert line.count(b"\n") == line.count(b"\r") == 1
        assert line.count(b">") == line.count(b"<")


@given(st.lists(st.integers(min_value=0, max_value=60), max_size=8))
def test_replies_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    stream = b"250-2.1.0 one\r\n250-two\r\n250 three\r\n354\r\n550 5.1.1 no\r\n421-x\r\n421 y\r\n"
    reader, replies, start = ReplyReader(), list[Reply](), 0
    for cut in [*sorted(cuts), len(stream)]:
        replies += reader.feed(stream[start:cut])
        start = max(start, cut)
    assert replies == [
        Reply(250, (b"2.1.0 one", b"two", b"three")),
        Reply(354, (b"",)),
        Reply(550, (b"5.1.1 no",)),
        Reply(421, (b"x", b"y")),
    ]
    assert reader.empty


@pytest.mark.parametrize(
    "noise", [b"hello\r\n", b"25 x\r\n", b"999 x\r\n", b"250_x\r\n", b"x" * 20_000, b"250-a\r\n" * 2_000]
)
def test_what_is_no_reply_is_an_error(noise: bytes) -> None:
    with pytest.raises(ProtocolError):
        ReplyReader().feed(noise)


def test_what_an_ehlo_offers() -> None:
    lines = (b"mail.example", b"SIZE 1000", b"AUTH PLAIN", b"AUTH=LOGIN", b"pipelining", b"SIZE-LIMIT")
    offered = Extensions.parse(Reply(250, lines))
    assert "PIPELINING" in offered
    assert "STARTTLS" not in offered
    assert offered.largest == 1000
    assert offered.keywords["AUTH"] == ("PLAIN", "LOGIN")
