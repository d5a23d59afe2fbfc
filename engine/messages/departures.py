"""Who a message is from, and which way it takes: what cannot go now waits, and says why.

A way is the setting of an identity's relays; that of the installation is the empty one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine.identities.values import Senders
from engine.messages import limits, warmup
from engine.messages.handed import Candidate
from engine.messages.limits import Held
from engine.messages.warmup import WarmingUp

WAIT = dt.timedelta(seconds=20)
"""How long a message waits whose relay, or whose identity, is not there."""


def way_of(message: Candidate) -> str:
    """The way that a message takes."""
    return message.identity.relays if message.identity is not None else ""


def by_way(messages: Iterable[Candidate]) -> Iterable[list[Candidate]]:
    """The messages, apart by their way, in their order."""
    found: dict[str, list[Candidate]] = {}
    for each in messages:
        found.setdefault(way_of(each), []).append(each)
    return found.values()


@dataclass(frozen=True, slots=True)
class Departures:
    """The identities as they are now, whether a way is closed (its relay is away, or still busy), who warms up."""

    senders: Senders
    closed: Callable[[str], bool]
    warming: WarmingUp | None = None

    def name(self, messages: Iterable[Candidate]) -> None:
        """Fill in who they are from; nobody where the identity is gone."""
        for each in messages:
            each.identity = self.senders.of(each.sender)

    def divide(self, session: Session, going: Sequence[Candidate], now: dt.datetime) -> list[Candidate]:
        """Those that may leave now; the others wait in the queue."""
        reasons = {each.id: reason for each in going if (reason := self._reason(each))}
        if not reasons:
            return list(going)
        self._hold(session, going, reasons, now)
        return [each for each in going if each.id not in reasons]

    def keep_warm_up(self, session: Session, going: list[Candidate], now: dt.datetime) -> list[Candidate]:
        """Those for whom there is room today. Asked last, as who is counted here should go."""
        return warmup.keep(session, going, self.warming, now) if self.warming else going

    def _reason(self, message: Candidate) -> str:
        if message.identity is None:
            return "no_identity"
        return "relay" if self.closed(message.identity.relays) else ""

    @staticmethod
    def _hold(session: Session, going: Sequence[Candidate], reasons: Mapping[int, str], now: dt.datetime) -> None:
        for reason in sorted(set(reasons.values())):
            limits.hold(session, [Held(each, now + WAIT) for each in going if reasons.get(each.id) == reason], reason)
