"""Messages of a replay: those at the gate, those that wait for the end of quiet hours, those that were sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from engine.expr import Facts
from engine.messages import gate
from engine.messages.cap import Cap
from journeys.language.steps import Email, Sms
from journeys.simulate.person import Sent
from journeys.simulate.plan import Plan, Pressure
from journeys.simulate.stay import Stay


class Letter(NamedTuple):
    """A message in the queue, numbered in the order in which they came there."""

    number: int
    stay: Stay
    step: Email | Sms
    visit: int
    expires_at: dt.datetime | None

    @property
    def is_awaited(self) -> bool:
        """Whether the entry stands at the step until the fate of this message is known."""
        stay = self.stay
        return stay.phase == "sending" and stay.step_id == self.step.id and stay.visit == self.visit


class Outbox:
    """The queue of one contact."""

    def __init__(self, plan: Plan, sent: Iterable[Sent]) -> None:
        self._plan, self._sent = plan, list(sent)
        self._number = 0
        self.queued: list[Letter] = []
        self.held: list[tuple[dt.datetime, int, Letter]] = []

    def put(self, stay: Stay, step: Email | Sms, visit: int, now: dt.datetime) -> None:
        """A step sends a message."""
        expires = self._plan.program.sends[step.id].expires
        self._number += 1
        self.queued.append(Letter(self._number, stay, step, visit, expires.after(now) if expires else None))

    def hold(self, letter: Letter, until: dt.datetime) -> None:
        """It comes due again at the end of quiet hours, or when it expires, if that is sooner."""
        heappush(self.held, (min(until, letter.expires_at or until), letter.number, letter))

    def release(self, now: dt.datetime) -> None:
        """Those whose time has come stand before younger ones."""
        while self.held and self.held[0][0] <= now:
            self.queued.append(heappop(self.held)[2])
        self.queued.sort(key=lambda letter: letter.number)

    def cancel(self, stay: Stay) -> list[str]:
        """Take an entry's messages out; the steps that they are of."""
        gone = [letter for letter in self.queued if letter.stay is stay]
        gone += [letter for _, _, letter in self.held if letter.stay is stay]
        if gone:
            self.queued = [letter for letter in self.queued if letter.stay is not stay]
            self.held = [one for one in self.held if one[2].stay is not stay]
            heapify(self.held)
        return [letter.step.id for letter in gone]

    def accept(self, letter: Letter, now: dt.datetime) -> None:
        """A message was sent, and counts from now on."""
        pressure = self._plan.pressure[letter.step.id]
        self._sent.append(Sent(now, letter.step.kind, pressure.topic, pressure.counts))

    def pressed(self, contact: Facts, pressure: Pressure, now: dt.datetime) -> dict[str, Any]:
        """Fields of the gate's facts: what caps count, and the end of quiet hours. Only those that the step knows."""
        own, hours = pressure.own, pressure.quiet
        found: dict[str, Any] = {}
        if own is not None:
            since = own.since(now)
            found["cap"], found["cap_count"] = own, len([1 for one in self._sent if since < one.at <= now])
        if pressure.caps:
            found["limits"] = tuple(gate.Counted(of, cap, self._counted(of, cap, now)) for of, cap in pressure.caps)
        if hours is not None:
            found["quiet"], found["quiet_until"] = hours, self._plan.limits.ends(hours, *_places(contact), now)
        return found

    def _counted(self, of: str, cap: Cap, now: dt.datetime) -> int:
        since = cap.since(now)
        return sum(
            one.counts and since < one.at <= now and (of in ("all", one.channel) or of == f"topic:{one.topic}")
            for one in self._sent
        )


def _places(contact: Facts) -> tuple[object, object]:
    """Zone and phone number; an attribute of the name stands in for the contact's own field, as in the claim."""
    attributes = contact.attributes
    return contact.timezone or attributes.get("timezone"), contact.phone or attributes.get("phone")
