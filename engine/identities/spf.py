"""Whether an SPF record names an address (RFC 7208).

Known are the mechanisms that do not depend on the single message; for the others (`ptr`, and macros) nothing is said.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from engine.identities.dns import CannotTell, Dns

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
MOST_LOOKUPS, MOST_VOID, MOST_SERVERS = 10, 2, 10  # RFC 7208, section 4.6.4
RESULTS = {"": "pass", "+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE).fullmatch


class Broken(Exception):
    """The record, or one that it includes, is an error to every receiver (`permerror`)."""


class Term(NamedTuple):
    """One mechanism: what it answers if it matches, its kind, its domain or network, the lengths of prefixes."""

    result: str
    kind: str
    value: str
    four: int
    six: int


def record_of(domain: str, dns: Dns) -> str:
    """The one record of a domain, empty without. Raises Broken for several, CannotTell."""
    found = [each for each in dns.texts(domain) if each.lower().split(" ")[0] == "v=spf1"]
    if len(found) > 1:
        raise Broken(f"{domain} has {len(found)} SPF records, so none counts")
    return found[0] if found else ""


@dataclass(slots=True)
class Question:
    """Whether one address may send. Counts the lookups, as receivers do."""

    dns: Dns
    address: Address
    lookups: int = 0
    void: int = 0

    def result(self, domain: str) -> str:
        """pass, fail, softfail, neutral or none. Raises Broken, CannotTell."""
        record = record_of(domain, self.dns)
        if not record:
            return "none"
        terms, redirect = _terms(domain, record)
        for term in terms:
            if self._matches(term, domain):
                return term.result
        if not redirect or any(term.kind == "all" for term in terms):
            return "neutral"
        self._count()
        found = self.result(_plain(redirect))
        if found == "none":
            raise Broken(f"{redirect}, which {domain} redirects to, has no SPF record")
        return found

    def _matches(self, term: Term, domain: str) -> bool:
        if term.kind == "all":
            return True
        if term.kind in ("ip4", "ip6"):
            return self._within(term.value)
        if term.kind == "ptr":
            raise CannotTell(f"the record of {domain} asks for names of addresses (ptr)")
        self._count()
        about = _plain(term.value or domain)
        if term.kind == "include":
            return self._included(about, domain)
        if term.kind == "exists":
            return bool(self._found(about, 4))
        hosts = [about] if term.kind == "a" else self._servers(about)
        return any(self._within(f"{each}/{self._length(term)}") for host in hosts for each in self._found(host))

    def _length(self, term: Term) -> int:
        return term.four if self.address.version == 4 else term.six

    def _included(self, domain: str, by: str) -> bool:
        found = self.result(domain)
        if found == "none":
            raise Broken(f"{domain}, which {by} includes, has no SPF record")
        return found == "pass"

    def _servers(self, domain: str) -> list[str]:
        found = [each.rstrip(".") for each in self.dns.mail_servers(domain) if each != "."]
        if len(found) > MOST_SERVERS:
            raise Broken(f"{domain} has more than {MOST_SERVERS} mail servers")
        self._count_void(found)
        return found

    def _found(self, host: str, version: int = 0) -> list[str]:
        """Its addresses of the kind of the one that is asked about, or of this version."""
        version = version or self.address.version
        found = [each for each in self.dns.addresses(host) if ipaddress.ip_address(each).version == version]
        self._count_void(found)
        return found

    def _within(self, network: str) -> bool:
        return self.address in ipaddress.ip_network(network, strict=False)

    def _count(self) -> None:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            raise Broken(f"it needs more than {MOST_LOOKUPS} questions to DNS, so receivers give up")

    def _count_void(self, found: list[str]) -> None:
        self.void += not found
        if self.void > MOST_VOID:
            raise Broken(f"it names more than {MOST_VOID} hosts that DNS does not know, so receivers give up")


def _plain(domain: str) -> str:
    if "%" in domain:
        raise CannotTell("the record depends on the single message (macros)")
    return domain.rstrip(".")


def _terms(domain: str, record: str) -> tuple[list[Term], str]:
    """The mechanisms, and where `redirect` leads. Raises Broken for what is no term."""
    terms: list[Term] = []
    modifiers: dict[str, str] = {}
    for word in record.split()[1:]:
        if (modifier := MODIFIER(word)) is not None:
            name, value = modifier[1].lower(), modifier[2]
            if name in modifiers and name in ("exp", "redirect"):
                raise Broken(f"the record of {domain} has {name}= twice")
            modifiers[name] = value
            continue
        term = _term(word)
        if term is None:
            raise Broken(f"“{word[:50]}” in the record of {domain} is no mechanism")
        if term.kind == "include" and term.value.lower() == domain.lower():
            raise Broken(f"the record of {domain} includes itself")
        terms.append(term)
    return terms, modifiers.get("redirect", "")


def _term(word: str) -> Term | None:
    sign = word[:1] if word[:1] in RESULTS else ""
    rest = word.removeprefix(sign)
    kind, colon, value = rest.partition(":")
    four, six = 32, 128
    if not colon and "/" in kind:
        kind, _, lengths = kind.partition("/")
        value = "/" + lengths
    kind = kind.lower()
    if kind in ("a", "mx"):
        value, four, six = _lengths(value)
    if colon and not value:
        return None
    known = kind in ("all", "a", "mx", "ptr") or (kind in ("include", "exists", "ip4", "ip6") and value)
    if not known or not (0 <= four <= 32 and 0 <= six <= 128) or (kind == "all" and colon):
        return None
    if kind in ("ip4", "ip6") and not _is_network(value, 4 if kind == "ip4" else 6):
        return None
    return Term(RESULTS[sign], kind, value, four, six)


def _lengths(value: str) -> tuple[str, int, int]:
    """`host/24//64` apart; -1 for a length that is none."""
    rest, _, six = value.partition("//")
    host, _, four = rest.partition("/")
    numbers = [int(each) if each.isdigit() else -1 for each in (four or "32", six or "128")]
    return host, numbers[0], numbers[1]


def _is_network(value: str, version: int) -> bool:
    try:
        return ipaddress.ip_network(value, strict=False).version == version
    except ValueError:
        return False


def seen_outside(addresses: set[str]) -> Iterator[Address]:
    """Those that other networks may know; behind others stands an address that is not known here."""
    inner = [ipaddress.ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]
    for each in sorted(addresses):
        found = ipaddress.ip_address(each)
        hidden = found.is_loopback or found.is_link_local or found.is_unspecified
        if not hidden and not any(found in network for network in inner if network.version == found.version):
            yield found
