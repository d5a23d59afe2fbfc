"""Where an endpoint is: looked up once, refused if it lies inside our own network, then connected to by that address.

So a name that points elsewhere a moment later reaches nothing (server-side request forgery, OWASP).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.errors import InvalidInput

LONGEST = 2000
HINT = "Write it like https://example.com/path."
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
TRANSLATED = (
    ipaddress.ip_network("64:ff9b::/96"),
    ipaddress.ip_network("64:ff9b:1::/48"),
    ipaddress.ip_network("2002::/16"),
)
"""IPv6 addresses that carry an IPv4 address (RFC 6052, RFC 3056): they may lead anywhere."""
UNLISTED = (ipaddress.ip_network("fec0::/10"), ipaddress.ip_network("3fff::/20"))
"""Site-local and documentation addresses (RFC 3879, RFC 9637), which Python takes to be global."""


class Forbidden(Exception):
    """The endpoint must not be called, or cannot be found; the text says why."""


@dataclass(frozen=True, slots=True)
class Url:
    """An endpoint's URL, taken apart. `target` is path and query."""

    secure: bool
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """For the header Host."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.secure else 80) else f"{name}:{self.port}"


def parse_url(text: str) -> Url:
    """Raises InvalidInput for what is no plain http or https URL."""
    if len(text) > LONGEST or not text.isascii() or any(c <= " " or c == "\x7f" for c in text):
        raise InvalidInput("is no URL of plain ASCII characters", "url", HINT)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidInput(f"is no URL: {error}", "url", HINT) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput("is no http or https URL", "url", HINT)
    if parts.username is not None or parts.password is not None:
        raise InvalidInput("holds a user name or password", "url", "Receivers check the signature instead.")
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(secure, parts.hostname, port or (443 if secure else 80), target)


def resolve(url: Url, allowed: Sequence[Network]) -> str:
    """An IP address to connect to. Raises Forbidden unless all addresses of the host are public or in `allowed`."""
    try:
        found = socket.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Forbidden(f"{url.host} cannot be found: {error}") from None
    addresses = [ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in found]
    for address in addresses:
        if not is_public(address) and not any(address in network for network in allowed):
            name = url.host if url.host == str(address) else f"{url.host} is {address}, which"
            raise Forbidden(f"{name} is no public address; see CAIRN_WEBHOOK_NETWORKS")
    return str(addresses[0])


def refusal(url: Url, allowed: Sequence[Network]) -> str | None:
    """Why an endpoint can never be called, as far as its text tells: names are looked up when they are called."""
    try:
        ipaddress.ip_address("127.0.0.1" if url.host == "localhost" else url.host)
    except ValueError:
        return None
    try:
        resolve(url, allowed)
    except Forbidden as forbidden:
        return str(forbidden)
    return None


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether it is reached over the internet, and nowhere else."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in (*TRANSLATED, *UNLISTED)):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def networks(text: str) -> tuple[Network, ...]:
    """`10.1.0.0/16, 127.0.0.1` as networks. Raises InvalidInput."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise InvalidInput(
            str(error), "CAIRN_WEBHOOK_NETWORKS", "Write networks like 10.1.0.0/16, with commas."
        ) from None
