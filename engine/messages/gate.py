"""The last word before a message is sent: a pure decision over what the claim has read under the contact's lock."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from engine.messages.cap import Cap
from engine.quiet import Hours

Action = Literal["send", "suppressed", "expired", "cancelled", "hold"]


class Counted(NamedTuple):
    """A cap of the workspace, by what it is of (`email`, `topic:news`), and how many messages it has counted."""

    of: str
    cap: Cap
    sent: int


class Facts(NamedTuple):
    """What the gate looks at. States of consent are as in `engine.model.ConsentState`, or None without a word.

    `topic_default` is None where the message has no topic or the topic is not known. `cap_count` are the messages to
    this contact in the cap's window, over all journeys; `limits` are the workspace's caps. `quiet` are its quiet hours
    for this channel, and `quiet_until` their end, if they hold now. `needs_consent`: the channel wants an explicit yes.
    `journey_state` is that of the journey or campaign. `snoozed`: the contact asked for a pause. A `transactional`
    message needs no consent: it answers what the contact has just done. `allowed`: this installation may write to it.
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
    snoozed: bool = False
    transactional: bool = False
    limits: tuple[Counted, ...] = ()
    quiet: Hours | None = None
    quiet_until: dt.datetime | None = None
    allowed: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to the message. A held one stays in the queue: until quiet hours end, or as it is."""

    action: Action
    reason: str | None = None


send = Verdict("send")

REFUSED_BY = {
    "stopped": "journey",
    "cancelled": "journey",
    "paused": "journey",
    "exit": "exit",
    "expired": "expires",
    "no_address": "address",
    "not_allowed": "address",
    "suppressed": "suppression",
    "unsubscribed": "consent",
    "no_consent": "consent",
    "snoozed": "consent",
    "quiet": "quiet",
    "cap": "cap",
}
"""Which gate gives a reason. The gates stand in the order in which they are asked."""
GATES = tuple(dict.fromkeys(REFUSED_BY.values()))


def decide(facts: Facts, now: dt.datetime) -> Verdict:
    """Whether the message may go. Leaving comes first: a contact who has left is not counted as unreachable."""
    if facts.journey_state in ("stopped", "cancelled"):
        return Verdict("cancelled", facts.journey_state)
    if facts.leaving:
        return Verdict("cancelled", "exit")
    if facts.journey_state == "paused":
        return Verdict("hold", "paused")
    if facts.expires_at is not None and facts.expires_at <= now:
        return Verdict("expired", "expired")
    if refusal := _refusal(facts):
        return Verdict("suppressed", refusal)
    if facts.quiet_until is not None:
        return Verdict("hold", "quiet")  # before the caps, whose windows go on while it waits
    return Verdict("suppressed", "cap") if _over(facts) else send


def dialable(number: str | None) -> str:
    """The number, if it is of any use: one without its country is a stranger's in every other one."""
    return number if number and number.startswith("+") else ""


def seen(facts: Facts) -> dict[str, dict[str, Any]]:
    """By gate the values that it looked at, as JSON: kept of refused messages, so that a refusal can be explained."""
    consent = ("channel_state", "topic_state", "topic_default", "needs_consent", "snoozed", "transactional")
    until = facts.quiet_until.isoformat() if facts.quiet_until else None
    return {
        "journey": {"state": facts.journey_state},
        "exit": {"leaving": facts.leaving},
        "expires": {"expires_at": facts.expires_at.isoformat() if facts.expires_at else None},
        "address": {"present": bool(facts.address)} | ({} if facts.allowed else {"on_the_list": False}),
        "suppression": {"suppressed": facts.suppressed},
        "consent": {name: getattr(facts, name) for name in consent},
        "quiet": {"hours": str(facts.quiet), "until": until} if facts.quiet else {},
        "cap": _caps(facts),
    }


def _caps(facts: Facts) -> dict[str, Any]:
    """The message's own cap, and each of the workspace's by its name."""
    own = {"allowed": str(facts.cap), "count": facts.cap_count} if facts.cap else {}
    return own | {each.of: f"{each.sent} of {each.cap}" for each in facts.limits}


def _over(facts: Facts) -> bool:
    own = facts.cap is not None and facts.cap_count >= facts.cap.count
    return own or any(each.sent >= each.cap.count for each in facts.limits)


def _refusal(facts: Facts) -> str | None:
    if not facts.address:
        return "no_address"
    if not facts.allowed:
        return "not_allowed"
    if facts.suppressed:
        return "suppressed"
    if not facts.transactional and (reason := _without_consent(facts)):
        return reason
    return None


def _without_consent(facts: Facts) -> str | None:
    """A word that is not confirmed yet, or no longer holds, is no consent, whatever would hold without it."""
    said = (facts.channel_state, facts.topic_state)
    if "unsubscribed" in said:
        return "unsubscribed"
    if "pending" in said or "expired" in said or (facts.needs_consent and facts.channel_state != "subscribed"):
        return "no_consent"
    if facts.channel == "email" and facts.topic_state is None and facts.topic_default == "unsubscribed":
        return "no_consent"
    return "snoozed" if facts.snoozed else None
