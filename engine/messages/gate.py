"""The last word before a message is sent: a pure decision over what the claim has read under the contact's lock."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal, NamedTuple

from engine.messages.cap import Cap

Action = Literal["send", "suppressed", "expired", "cancelled", "hold"]


class Facts(NamedTuple):
    """What the gate looks at. States of consent are `subscribed`, `unsubscribed`, or None without a word.

    `topic_default` is None where the message has no topic or the topic is not known. `cap_count` are the messages to
    this contact in the cap's window, over all journeys. `needs_consent`: the channel wants an explicit yes.
    """

    channel: str
    address: str | None
    channel_state: str | None = None
    topic_state: str | None = None
    topic_default: str | None = None
    suppressed: bool = False
    needs_consent: bool = False
    journey_state: str | None = None
    leaving: bool = False
    expires_at: dt.datetime | None = None
    cap: Cap | None = None
    cap_count: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to the message. A held one stays in the queue as it is."""

    action: Action
    reason: str | None = None


send = Verdict("send")


def decide(facts: Facts, now: dt.datetime) -> Verdict:
    """Whether the message may go. Leaving comes first: a contact who has left is not counted as unreachable."""
    if facts.journey_state == "stopped":
        return Verdict("cancelled", "stopped")
    if facts.leaving:
        return Verdict("cancelled", "exit")
    if facts.journey_state == "paused":
        return Verdict("hold", "paused")
    if facts.expires_at is not None and facts.expires_at <= now:
        return Verdict("expired", "expired")
    refusal = _refusal(facts)
    return Verdict("suppressed", refusal) if refusal else send


def _refusal(facts: Facts) -> str | None:
    if not facts.address:
        return "no_address"
    if facts.suppressed:
        return "suppressed"
    if "unsubscribed" in (facts.channel_state, facts.topic_state):
        return "unsubscribed"
    if facts.needs_consent and facts.channel_state != "subscribed":
        return "no_consent"
    if facts.channel == "email" and facts.topic_state is None and facts.topic_default == "unsubscribed":
        return "no_consent"
    if facts.cap is not None and facts.cap_count >= facts.cap.count:
        return "cap"
    return None
