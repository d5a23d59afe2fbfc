"""From results to states, as a table."""

from __future__ import annotations

import datetime as dt

import pytest

from engine.channels.provider import Result
from engine.messages.handed import Handed
from engine.messages.outcome import Change, change, kind_of

now = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def handed(attempt: int = 1, age: dt.timedelta = dt.timedelta(0)) -> Handed:
    return Handed(1, now, 1, "a", "email", "a@b.example", attempt, now - age)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (Result(1, "accepted", 250), Change("accepted")),
        (Result(1, "not_tried"), Change("queued", untouched=True)),
        (Result(1, "unknown"), Change("unknown", "no_reply")),
        (Result(1, "failed", 550, "5.1.1", "gone", "rcpt"), Change("failed", "hard_bounce", suppress=True)),
        (Result(1, "failed", 550, "5.1.10", "gone", "rcpt"), Change("failed", "hard_bounce", suppress=True)),
        (Result(1, "failed", 550, "5.2.1", "off", "dot"), Change("failed", "hard_bounce", suppress=True)),
        (Result(1, "failed", 550, "", "No such user here", "rcpt"), Change("failed", "hard_bounce", suppress=True)),
        (
            Result(1, "failed", 550, "", "mailbox does not exist", "rcpt"),
            Change("failed", "hard_bounce", suppress=True),
        ),
        (Result(1, "failed", 550, "", "blocked, see our list", "rcpt"), Change("failed", "refused")),
        (Result(1, "failed", 550, "5.1.1", "sender unknown", "mail"), Change("failed", "refused")),
        (Result(1, "failed", 550, "5.7.1", "user unknown to our list", "rcpt"), Change("failed", "policy")),
        (Result(1, "failed", 554, "5.7.1", "spam", "dot"), Change("failed", "policy")),
        (Result(1, "failed", 500, "5.3.0", "no", "data"), Change("failed", "refused")),
        (Result(1, "failed", text="no subject", stage="render"), Change("failed", "render:no subject")),
        (Result(1, "failed", 501, "5.1.3", "bad", "local"), Change("failed", "invalid_address")),
        (Result(1, "failed", 552, "5.3.4", "big", "local"), Change("failed", "unsendable")),
    ],
)
def test_what_a_result_means(result: Result, expected: Change) -> None:
    assert change(handed(), result, now) == expected


def test_a_4xx_comes_back_after_1_5_15_and_60_minutes_and_then_fails() -> None:
    later = Result(1, "retry", 451)
    waits = [change(handed(attempt), later, now).send_after for attempt in (1, 2, 3, 4)]
    assert waits == [now + dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)]
    assert change(handed(5), later, now) == Change("failed", "retries")
    assert change(handed(5), Result(1, "retry"), now).send_after == now + dt.timedelta(minutes=60)
    assert change(handed(2, dt.timedelta(hours=48)), later, now) == Change("failed", "retries")


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (Result(1, "failed", 550, "5.1.1", "no such user", "rcpt"), "hard"),
        (Result(1, "failed", 550, "5.7.26", "unauthenticated", "dot"), "policy"),
        (Result(1, "failed", 554, "", "Message rejected as spam", "dot"), "policy"),
        (Result(1, "failed", 554, "5.5.0", "Transaction failed", "dot"), None),
        (Result(1, "failed", text="the template fails", stage="render"), None),
        (Result(1, "failed", 501, "5.1.3", "the address is not valid", "local"), None),
        (Result(1, "accepted", 250), None),
    ],
)
def test_what_the_end_of_a_message_says_of_its_address_or_stream(result: Result, kind: str | None) -> None:
    assert kind_of(change(handed(), result, now), result) == kind


def test_a_message_that_was_put_off_too_often_failed_softly() -> None:
    result = Result(1, "retry", 451, "4.2.2", "full", "rcpt")
    assert kind_of(change(handed(9), result, now), result) == "soft"
