"""From a provider's result to the next state of the message: a pure decision with the tables of RFC 3463 behind it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from engine.bounces.failure import Failure
from engine.bounces.verdict import judge
from engine.channels.provider import Result
from engine.messages.handed import Handed

backoff = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
patience = dt.timedelta(hours=48)
hard_codes = frozenset({"5.1.1", "5.1.2", "5.1.10", "5.2.1"})
kinds: dict[str, Literal["hard", "soft", "policy"]] = {"hard_bounce": "hard", "retries": "soft", "policy": "policy"}
no_such_user = re.compile(
    r"(user|mailbox|recipient|address|account).{0,40}(unknown|not found|not exist|doesn't exist|invalid|disabled)"
    r"|no such (user|mailbox|recipient|address|account)|unknown (user|mailbox|recipient|address|account)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Change:
    """What is written to the message. `send_after` only for a retry; `suppress`: the address does not exist."""

    state: str
    reason: str | None = None
    send_after: dt.datetime | None = None
    untouched: bool = False
    suppress: bool = False


accepted = Change("accepted")


def change(handed: Handed, result: Result, now: dt.datetime) -> Change:
    """The state that a result leads to.

    A 4xx is tried again after 1, 5, 15 and 60 minutes, five times in all and for 48 hours at most; if connections broke
    before the server said anything, only the hours count. A message that was not tried goes back as it was, and a text
    that came too fast for its gateway, or while that takes none (4.7.x, 4.3.x), comes again every minute.
    """
    if result.outcome == "accepted":
        return accepted
    if result.outcome == "not_tried":
        return Change("queued", untouched=True)
    if result.outcome == "unknown":
        return Change("unknown", "no_reply")
    if result.outcome == "retry":
        hurried = handed.channel == "sms" and result.enhanced.startswith(("4.3.", "4.7."))
        if (result.code and handed.attempt > len(backoff) and not hurried) or now - handed.queued_at >= patience:
            return Change("failed", "retries")
        return Change("queued", "deferred", now + backoff[0 if hurried else min(handed.attempt, len(backoff)) - 1])
    return _failed(result)


def _failed(result: Result) -> Change:
    """Policy (5.7.x) says nothing about the address and never suppresses it."""
    if result.stage == "render":
        return Change("failed", f"render:{result.text[:300]}")
    if result.stage == "local":
        return Change("failed", "invalid_address" if result.enhanced.startswith("5.1.") else "unsendable")
    if hard(result):
        return Change("failed", "hard_bounce", suppress=True)
    return Change("failed", "policy" if result.enhanced.startswith("5.7.") else "refused")


def kind_of(changed: Change, result: Result) -> Literal["hard", "soft", "policy"] | None:
    """What the end of a message in the dialogue says of its address or stream; None for what says nothing.

    A refusal whose code does not say why is policy if its words do.
    """
    if changed.state != "failed" or not result.code:
        return None
    if changed.reason == "refused":
        told = Failure(None, status=result.enhanced, diagnostic=result.reply)
        return "policy" if judge(told, "", "").kind == "policy" else None
    return kinds.get(changed.reason or "")


def hard(result: Result) -> bool:
    """Whether the server says that the address does not exist: by its enhanced code, or without one by its words."""
    if result.stage not in ("rcpt", "dot"):
        return False
    if result.enhanced:
        return result.enhanced in hard_codes
    return result.stage == "rcpt" and result.code in (550, 551, 553) and bool(no_such_user.search(result.text))
