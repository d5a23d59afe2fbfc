"""Texts in several pieces: out of order, repeated, incomplete, torn, and with references that are used again."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.channels.sms.pieces import Piece, of_header, piece
from engine.contacts.consent import suppressed
from engine.texts import joining
from engine.texts.joining import Part, take_overdue, take_part
from tests.engine.messages import ledger

NOW = ledger.now
ANN = "+4915112345678"


def say(session: Session, words: str | bytes, number: int, total: int = 2, reference: int = 7, minutes: int = 0) -> str:
    data, coding = (words.encode(), "utf-8") if isinstance(words, str) else (words, "utf-16-be")
    part = Part(ANN, "+15550100", Piece(reference, total, number), data, coding)
    return take_part(session, "test", part, NOW + dt.timedelta(minutes=minutes))


def bodies(session: Session) -> list[str]:
    return list(session.execute(text("select body from incoming_texts order by id")).scalars())


def test_pieces_come_in_any_order_and_repeated(session: Session) -> None:
    for words, number in (("three", 3), ("one ", 1), ("three", 3), ("one ", 1)):
        assert say(session, words, number, 3) == ""
    assert bodies(session) == []
    say(session, "two ", 2, 3)
    say(session, "two ", 2, 3, minutes=1)
    assert bodies(session) == ["one two three"]


def test_a_stop_that_is_torn_between_pieces_is_heard_and_confirmed(session: Session) -> None:
    assert say(session, "OP", 2) == ""
    assert "unsubscribed" in say(session, "Please ST", 1)
    assert suppressed(session, "sms", [ANN]) == {ANN}


def test_a_character_that_is_torn_between_pieces_is_whole_again(session: Session) -> None:
    words = "Hi 👋!".encode("utf-16-be")
    say(session, words[8:], 2)
    say(session, words[:8], 1)
    assert bodies(session) == ["Hi 👋!"]


def test_what_is_there_is_taken_after_a_while_and_a_late_piece_by_itself(session: Session) -> None:
    say(session, "stop ", 2, 3)
    say(session, "the end", 3, 3)
    assert take_overdue(session, NOW + joining.WAIT - dt.timedelta(seconds=1)) == 0
    assert take_overdue(session, NOW + joining.WAIT) == 1
    assert take_overdue(session, NOW + joining.WAIT) == 0
    assert bodies(session) == ["… stop the end"]
    say(session, "late, too", 1, 3, minutes=6)
    assert bodies(session)[1:] == ["late, too …"]
    assert suppressed(session, "sms", [ANN]) == {ANN}


def test_a_gap_is_shown_and_joins_no_words(session: Session) -> None:
    say(session, "I st", 1, 3)
    say(session, "op by", 3, 3)
    take_overdue(session, NOW + joining.WAIT)
    assert bodies(session) == ["I st … op by"] and suppressed(session, "sms", [ANN]) == set()


def test_a_reference_is_used_again_for_another_text(session: Session) -> None:
    say(session, "first ", 1)
    say(session, "text", 2)
    say(session, "second ", 1, minutes=2)
    say(session, "text", 2, minutes=2)
    say(session, "second ", 1, minutes=90)
    say(session, "text", 2, minutes=90)
    assert bodies(session) == ["first text", "second text", "second text"]


def test_another_text_by_the_same_reference_does_not_swallow_an_incomplete_one(session: Session) -> None:
    say(session, "lost ", 1)
    say(session, "found ", 1, minutes=1)
    say(session, "again", 2, minutes=1)
    assert bodies(session) == ["lost  …", "found again"]


def test_pieces_are_forgotten_a_day_after_their_text(session: Session) -> None:
    say(session, "one ", 1)
    joining.forget(session, NOW + dt.timedelta(days=2))
    assert session.execute(text("select count(*) from text_parts")).scalar() == 1
    say(session, "two", 2)
    joining.forget(session, NOW + dt.timedelta(days=2))
    assert session.execute(text("select count(*) from text_parts")).scalar() == 0


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"\x05\x00\x03\xff\x02\x01", Piece(255, 2, 1)),
        (b"\x06\x08\x04\x01\x02\x03\x03", Piece(258, 3, 3)),
        (b"\x0b\x05\x04\x15\x8a\x00\x00\x00\x03\x09\x02\x02", Piece(9, 2, 2)),
        (b"\x05\x00\x03\x09\x02\x03", None),
        (b"\x05\x00\x03\x09\x02\x00", None),
        (b"\x05\x00\x03\x09\x01\x01", None),
        (b"\x05\x00\x03\x09", None),
        (b"\xff\x00\xff\x09\x02\x01", None),
        (b"\x01\x00", None),
        (b"", None),
    ],
)
def test_a_header_says_which_piece_it_is(header: bytes, expected: Piece | None) -> None:
    assert of_header(header) == expected


def test_numbers_that_cannot_be_make_no_piece() -> None:
    assert piece(1, 2, 2) == Piece(1, 2, 2)
    assert [piece(1, 2, 3), piece(1, 1, 1), piece(None, 2, 1), piece(1, 0, 0), piece(1, 2, None)] == [None] * 5
