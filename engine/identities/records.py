"""The DNS records that an identity needs, to be published by whoever keeps its domain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from engine.identities.values import Identity
from engine.receipts.verp import ReturnPath

ADDRESS = re.compile(r"[0-9.]+").fullmatch


class Record(NamedTuple):
    """What to publish. `why` says what for; `value` of an SPF record is a beginning, as Cairn does not know the relay's
    addresses."""

    name: str
    kind: str
    value: str
    why: str


def zone_line(name: str, kind: str, value: str) -> str:
    """A record as zone files have it; DNS takes 255 bytes a string of a TXT record."""
    if kind == "TXT":
        value = " ".join(f'"{value[at : at + 255]}"' for at in range(0, len(value), 255))
    return f"{name}. {kind} {value}"


def needed(identity: Identity, bounces: ReturnPath | None, site: str) -> Iterator[Record]:
    """The records for this identity; return paths lead to `bounces`, the installation is reached at `site`."""
    for key in identity.dkim.keys if identity.dkim else ():
        name = f"{key.selector}._domainkey.{identity.domain}"
        yield Record(name, "TXT", key.record(), "Receivers verify the signature by it (DKIM).")
    for key in identity.next.keys if identity.next else ():
        name = f"{key.selector}._domainkey.{identity.domain}"
        yield Record(name, "TXT", key.record(), "A new key: publish it, then switch to it (DKIM).")
    bounces = identity.bounces or bounces
    envelope = bounces.domain if bounces else identity.domain
    yield Record(envelope, "TXT", "v=spf1 a mx ~all", "Names who may send: put your relay in the place of a mx (SPF).")
    yield Record(
        f"_dmarc.{identity.domain}", "TXT", f"v=DMARC1; p=none; rua=mailto:{identity.address}",
        "Says what to do with mail that proves nothing; start with none (DMARC).",
    )  # fmt: skip
    if identity.tracking_domain:
        name = urlsplit(identity.site).hostname or ""
        host = urlsplit(site).hostname or ""
        kind, value = ("CNAME", f"{host}.") if not ADDRESS(host) else ("A", host)
        yield Record(name, kind, value, "Links, pixel and unsubscribing lead here.")
