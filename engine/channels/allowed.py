"""Whom an installation may write to at all: a staging system with a copy of real contacts mails nobody else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.errors import ConfigurationError

ENTRY = re.compile(r"[^\s@,]+@[^\s@,]+|@[^\s@,]+|\+[0-9]{2,15}|\+[0-9]{1,15}\*")


@dataclass(frozen=True, slots=True)
class Allowed:
    """Addresses and numbers, domains with their @, and beginnings of numbers. `text` is what was set."""

    text: str
    exact: frozenset[str]
    domains: frozenset[str]
    beginnings: tuple[str, ...]

    def lets(self, address: str) -> bool:
        """Whether an email address or a number in E.164 may be written to; case does not matter."""
        normal = address.strip().lower()
        at = normal.rfind("@")
        if normal in self.exact or (at >= 0 and normal[at:] in self.domains):
            return True
        return at < 0 and normal.startswith(self.beginnings)


def parse(text: str) -> Allowed | None:
    """Read CAIRN_ALLOWED_RECIPIENTS: addresses, @domains, numbers and `+49*`, with commas or blanks between.

    None, which lets everybody, for nothing at all. Raises ConfigurationError for what is none of these.
    """
    entries = text.replace(",", " ").lower().split()
    for entry in entries:
        if not ENTRY.fullmatch(entry):
            raise ConfigurationError(
                f"CAIRN_ALLOWED_RECIPIENTS: “{entry}” is no address, @domain, number or beginning of numbers as +49*."
            )
    if not entries:
        if text.strip():
            raise ConfigurationError(
                "CAIRN_ALLOWED_RECIPIENTS names nobody. Name an address, or take the setting away."
            )
        return None
    ends = tuple(entry[:-1] for entry in entries if entry.endswith("*"))
    domains = frozenset(entry for entry in entries if entry.startswith("@"))
    return Allowed(", ".join(entries), frozenset(entries) - domains, domains, ends)
