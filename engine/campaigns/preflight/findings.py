"""What a preflight finds."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind` names the check. `count` contacts are concerned, 0 if none in particular; `samples` are public ids.

    `names` are what it is about, such as hosts: who accepts a warning accepts it of these.
    """

    severity: Severity
    kind: str
    message: str
    hint: str = ""
    count: int = 0
    samples: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """Contacts of the audience, and how many of them each gate would stop today; one may be stopped by several.

    `suppressed` is an estimate from a sample where `estimated`. `likely` are those who get a message.
    """

    audience: int = 0
    held_back: int = 0
    no_address: int = 0
    unsubscribed: int = 0
    no_consent: int = 0
    suppressed: int = 0
    capped: int = 0
    estimated: bool = False

    @property
    def likely(self) -> int:
        """At least 0."""
        stopped = self.no_address + self.unsubscribed + self.no_consent + self.suppressed + self.capped
        return max(0, self.audience - self.held_back - stopped)


@dataclass(frozen=True, slots=True)
class Preflight:
    """Errors first. `cost` in the currency; `finish` is when the last message is due, None if nothing slows it down."""

    findings: tuple[Finding, ...]
    reach: Reach = Reach()
    cost: Decimal = Decimal(0)
    currency: str = ""
    finish: dt.datetime | None = None

    @property
    def errors(self) -> list[Finding]:
        """What stops the campaign."""
        return [one for one in self.findings if one.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        """What wants a person's word."""
        return [one for one in self.findings if one.severity == "warning"]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "ok": not self.errors,
            "findings": [asdict(one) for one in self.findings],
            "reach": asdict(self.reach) | {"likely": self.reach.likely},
            "cost": float(self.cost),
            "currency": self.currency,
            "finish": self.finish.isoformat() if self.finish else None,
        }
