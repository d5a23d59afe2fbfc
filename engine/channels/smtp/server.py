"""The SMTP server to speak to, from a URL, and how long to wait for it."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs, unquote, urlsplit

from engine.errors import ConfigurationError

options = {"verify", "starttls", "ca"}


@cache
def _context(ca: str | None, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait in each phase; the defaults are the minima of RFC 5321, section 4.5.3.2."""

    connect: float = 30
    greeting: float = 300
    command: float = 300
    data: float = 120
    block: float = 180
    dot: float = 600
    idle: float = 60

    def of(self, stage: str) -> float:
        """Seconds to wait for the reply at a stage of a mail transaction."""
        if stage == "dot":
            return self.dot
        return self.data if stage == "data" else self.command


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail goes. `tls`: `implicit` (smtps), `required`, `auto` (STARTTLS if offered) or `no`."""

    host: str
    port: int
    tls: str = "auto"
    user: str | None = None
    password: str = ""
    verify: bool = True
    ca: str | None = None

    @classmethod
    def parse(cls, url: str) -> Server:
        """Read `smtp://user:password@host:port` or `smtps://…`; options `?starttls=auto|required|no`, `?ca=FILE`, and
        `?verify=no` for servers on this machine only. Raises `ConfigurationError`.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            shown = f"{parts.scheme or 'no scheme'}, {parts.hostname or 'no host'}"  # the whole may hold a password
            raise ConfigurationError(f"This is no SMTP address ({shown}). Write smtp://host:port or smtps://host:port.")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if unknown := query.keys() - options:
            raise ConfigurationError(f"The SMTP address has an unknown option “{min(unknown)}”.")
        server = cls(
            host=parts.hostname,
            port=parts.port or (465 if parts.scheme == "smtps" else 25),
            tls="implicit" if parts.scheme == "smtps" else query.get("starttls", "auto"),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password or ""),
            verify=query.get("verify") != "no",
            ca=query.get("ca"),
        )
        return server.checked()

    def checked(self) -> Server:
        """This server, if its settings are safe; raises `ConfigurationError`."""
        if self.tls not in ("implicit", "required", "auto", "no"):
            raise ConfigurationError("starttls is auto, required or no.")
        if not self.verify and not self.loopback:
            raise ConfigurationError("verify=no is for servers on this machine; elsewhere use ca=FILE.")
        return self

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def context(self) -> ssl.SSLContext:
        """A client context that verifies the certificate and the host name, unless that was switched off."""
        return _context(self.ca, self.verify)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
