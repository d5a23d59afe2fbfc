"""An explanation in the words of marketers: gates as questions with their answers, values as people write them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from journeys.explain.values import Gate

QUESTIONS = {
    "journey": "Is the journey running?",
    "exit": "Is the contact still in the journey?",
    "expires": "Is it still in time?",
    "address": "Is there an address that may be written to?",
    "suppression": "Is the address free of blocks?",
    "consent": "Has the contact agreed to get it?",
    "quiet": "Is it outside quiet hours?",
    "cap": "Is it within the limit of messages?",
}
ANSWERS = {"passed": "yes", "refused": "no", "not asked": "not asked", "waiting": "not asked yet"}
NAMES = {
    "state": "the journey is",
    "leaving": "an exit rule holds",
    "entry": "the entry is",
    "expires_at": "send until",
    "present": "has an address",
    "on_the_list": "is in CAIRN_ALLOWED_RECIPIENTS",
    "suppressed": "bounced, complained or blocked",
    "channel_state": "said for the channel",
    "topic_state": "said for the topic",
    "topic_default": "the topic without a word",
    "needs_consent": "needs a yes first",
    "snoozed": "asked for a pause",
    "transactional": "answers what the contact did",
    "count": "had before",
    "all": "all messages",
    "email": "all email",
    "sms": "all texts",
    "hours": "quiet hours of the contact's day",
    "until": "held until",
    "again": "may enter again",
    "in_it_then": "was in it then",
    "joined": "joined the segment",
    "left": "left the segment",
    "gate": "because of",
    "best_hour": "best hour by",
    "opened_then": "opened near that hour",
    "opened_in_all": "opened in all",
    "if": "condition",
}
CHOSEN_BY = {
    "own": "the contact's own opens and clicks",
    "everybody": "everybody's opens and clicks",
    "default": "default, as nobody has opened anything yet",
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")


def name(key: str) -> str:
    """What a value that was seen is called."""
    if key.startswith("topic:"):
        return f"topic {key.removeprefix('topic:')}"
    return NAMES.get(key, key.replace("_", " "))


def in_words(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a line of the step log tells, with words for its codes."""
    by = found.get("best_hour")
    return {**found, "best_hour": CHOSEN_BY.get(by, by)} if by else found


def told(value: Any, zone: dt.tzinfo) -> str:
    """A value: yes and no, nothing, instants in `zone`, anything else as it is."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and INSTANT.fullmatch(value):
        value = dt.datetime.fromisoformat(value)
    return moment(value, zone) if isinstance(value, dt.datetime) else str(value)


def moment(value: dt.datetime, zone: dt.tzinfo) -> str:
    """21 Nov 2026, 14:03:20 CET."""
    local = value.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M:%S %Z}"


def question(gate: Gate) -> str:
    """What the gate asks."""
    return QUESTIONS.get(gate.name, f"{gate.name.capitalize()}?")


def answer(gate: Gate) -> str:
    """What came out."""
    return ANSWERS[gate.verdict]


def refused_first(gates: Sequence[Gate]) -> list[Gate]:
    """The gate that refused before all others, which keep their order."""
    return sorted(gates, key=lambda gate: gate.verdict != "refused")
