"""Where messages lead: hosts other than the sender's want a person's word; addresses that no reader can follow stop."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from engine.campaigns.preflight.findings import Finding

HERE = re.compile(r"https?:[/\\]{2}[^\s<>\"')\]]+", re.IGNORECASE)
BLANKS = str.maketrans("", "", "\t\r\n")
WEB = ("http", "https", "")
HARMLESS = ("mailto", "tel", "sms", "cid", "callto", "whatsapp", "geo", "webcal")
OPEN = re.compile(r"\s*(?:https?://)?[^/?#{]*\{[{%]", re.IGNORECASE)
SHORTENERS = frozenset(
    ("bit.ly", "t.co", "tinyurl.com", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly", "cutt.ly", "t.ly", "lnkd.in")
)
MOST = 8


class Place(NamedTuple):
    """Where an address leads: a host, empty for none of the web. `behind` are hosts that its query hands on to."""

    scheme: str
    host: str
    behind: tuple[str, ...] = ()


def place_of(address: str) -> Place:
    """Read an address as browsers do (WHATWG URL): a backslash is a slash, tabs and line breaks do not count."""
    text = address.translate(BLANKS).strip().replace("\\", "/")
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return Place("broken", address[:100])
    inner = [value for _, value in parse_qsl(parts.query)] + re.findall(r"https?:/.*", unquote(parts.path))
    behind = {place_of(value).host for value in inner if re.match(r"(?:https?:)?[/\\]{2}", value, re.IGNORECASE)}
    return Place(parts.scheme.lower(), host, tuple(sorted(behind - {"", host})))


def named(host: str) -> str:
    """A host as people are to read it: what it says in other alphabets, and what it is if that is no name."""
    if _is_address(host):
        return f"{host} (a bare IP address)"
    if host in SHORTENERS:
        return f"{host} (a shortener: it hides where it leads)"
    if host.isascii() and "xn--" not in host:
        return host
    try:
        written = host.encode("ascii").decode("idna") if host.isascii() else host
        return f"{written} ({written.encode('idna').decode()}, which is not plain letters)"
    except UnicodeError:
        return f"{host} (not a name that can be read)"


def _is_address(host: str) -> bool:
    """Also as the number that browsers take for one: 3221226011, 0xC0000207."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return bool(re.fullmatch(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}", host))
    return True


def belongs(host: str, own: str) -> bool:
    """Whether a host is the sender's domain or under it, or the domain that the sender's is directly under.

    A parent with a short first label is taken for a public suffix such as co.uk, where others live too.
    """
    parent = own.partition(".")[2]
    under = len(parent.partition(".")[0]) > 3 and "." in parent
    return host == own or host.endswith("." + own) or (under and host == parent)


def findings(
    addresses: Iterable[str], links: Sequence[Any], own: str, channel: str, known: frozenset[str]
) -> Iterator[Finding]:
    """About `addresses` as rendered and the contents' `links` as written, for a sender of the domain `own`.

    `known` are Cairn's own addresses in messages.
    """
    addresses = sorted(set(addresses) - known)
    places = {address: place_of(address) for address in addresses}
    yield from _unreadable(places)
    plain = [address for address, place in places.items() if place.scheme == "http"]
    if plain:
        message = f"{len(plain)} links or images are not encrypted (http), such as {plain[0][:100]}."
        yield Finding("warning", "http", message, "Use https.")
    found = {host for place in places.values() if place.scheme in WEB for host in (place.host, *place.behind) if host}
    others = sorted(host for host in found if not belongs(host, own))
    if others:
        shown = ", ".join(named(host) for host in others[:MOST])
        more = f" and {len(others) - MOST} more" if len(others) > MOST else ""
        than = f" than {own}" if channel == "email" and own else ""
        hint = "Make sure that these are meant; filters judge mail by where it leads."
        message = f"Links lead to other hosts{than}: {shown}{more}."
        yield Finding("warning", "hosts", message, hint, 0, (), tuple(others))
    free = sorted({link["url"] for link in links if link["dynamic"] and OPEN.match(link["url"])})
    if free:
        message = f"Where {', '.join(f'`{url[:80]}`' for url in free[:MOST])} leads is decided by each contact's data."
        yield Finding("warning", "dynamic", message, "Write the host into the content.", 0, (), tuple(free))


def _unreadable(places: dict[str, Place]) -> Iterator[Finding]:
    """Mail programs drop what runs code or carries a page inside itself, and count it against the sender."""
    bad = [
        address
        for address, place in places.items()
        if place.scheme not in (*WEB, *HARMLESS) and not address.startswith(("data:image/", "#"))
    ]
    if bad:
        message = f"{len(bad)} addresses lead nowhere that mail programs allow, such as {bad[0][:80]}."
        yield Finding("error", "address", message, "Link to a page by https.")
