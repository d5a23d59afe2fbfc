"""Questions to DNS with bounded patience. What is not there is an empty answer; what cannot be known raises."""

from __future__ import annotations

import functools
from typing import Any

import dns.exception
import dns.rdatatype
import dns.resolver

from engine.errors import ConfigurationError

PATIENCE = 2.0
"""Seconds for one question, however many servers are asked."""


class CannotTell(Exception):
    """No server answered, or not to the question."""


class Dns:
    """A resolver: that of the machine, or `server` as HOST or HOST:PORT (CAIRN_DNS_SERVER)."""

    def __init__(self, server: str | None = None, *, patience: float = PATIENCE) -> None:
        self._server, self._patience = server, patience

    @functools.cached_property
    def _resolver(self) -> dns.resolver.Resolver:
        try:
            found = dns.resolver.Resolver(configure=not self._server)
        except dns.exception.DNSException as error:
            raise CannotTell("this machine has no resolver") from error
        if self._server:
            host, _, port = self._server.partition(":")
            try:
                found.nameservers, found.port = [host], int(port or 53)
            except ValueError as error:
                raise ConfigurationError("CAIRN_DNS_SERVER is no address. Write 192.0.2.1 or 192.0.2.1:53.") from error
        found.lifetime, found.timeout = self._patience, self._patience / 2
        return found

    def texts(self, name: str) -> list[str]:
        """TXT records, the strings of each joined (RFC 7208, section 3.3)."""
        return [b"".join(each.strings).decode("utf-8", "replace") for each in self._ask(name, "TXT")]

    def addresses(self, name: str) -> set[str]:
        """A and AAAA records, behind any CNAME."""
        return {each.to_text() for kind in ("A", "AAAA") for each in self._ask(name, kind)}

    def mail_servers(self, name: str) -> list[str]:
        """The hosts that MX records name; `.` is a domain that takes no mail (RFC 7505)."""
        return [each.exchange.to_text() for each in self._ask(name, "MX")]

    def _ask(self, name: str, kind: str) -> list[Any]:
        try:
            return list(self._resolver.resolve(f"{name}.", kind, raise_on_no_answer=False).rrset or ())
        except dns.resolver.NXDOMAIN:
            return []
        except dns.exception.DNSException as error:
            raise CannotTell(f"DNS gave no answer for {name}") from error
