"""Whether DNS says what an identity needs: receivers refuse mail of senders that do not prove themselves.

SPF is RFC 7208, DKIM RFC 6376, DMARC RFC 7489; its record is looked for from the domain upwards.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from engine.channels.dkim import Dkim, Key
from engine.channels.mail_api import is_account
from engine.channels.smtp.server import Server
from engine.identities import spf
from engine.identities.dns import CannotTell, Dns
from engine.identities.values import Identity
from engine.receipts.verp import ReturnPath

State = Literal["verified", "missing", "wrong", "unknown"]
MOST_SECONDS = 5.0
PUBLISH = "Publish the record that the page Senders and `cairn identities records` show."
KINDS = {
    "dkim": "Signature (DKIM)",
    "spf": "Relays (SPF)",
    "dmarc": "Policy (DMARC)",
    "links": "Links",
    "answers": "Answers",
}


@dataclass(frozen=True, slots=True)
class Check:
    """`kind` is of KINDS. `unknown`: it could not be checked. `hint` says what to do."""

    kind: str
    state: State
    message: str
    hint: str = ""

    @property
    def stands(self) -> bool:
        """Whether nothing was found that is against it."""
        return self.state in ("verified", "unknown")


def check(identity: Identity, dns: Dns, bounces: ReturnPath | None, site: str, relays: str = "") -> list[Check]:
    """All checks of an identity, side by side, within MOST_SECONDS. `site` is where the installation is reached,
    `relays` is CAIRN_SMTP_URL, by which identities without relays of their own send."""
    bounces = identity.bounces or bounces
    asked: dict[str, Callable[[], Check]] = {
        "dkim": lambda: _dkim(identity.dkim, dns),
        "spf": lambda: _spf(identity, dns, bounces, identity.relays or relays),
        "dmarc": lambda: _dmarc(identity, dns),
        "answers": lambda: _answers(identity, dns),
    }
    if identity.tracking_domain:
        asked["links"] = lambda: _links(identity, dns, site)
    until = time.monotonic() + MOST_SECONDS
    pool = ThreadPoolExecutor(len(asked), "dns")
    tasks = {kind: pool.submit(_told, kind, one) for kind, one in asked.items()}
    wait(tasks.values(), timeout=until - time.monotonic())
    pool.shutdown(wait=False, cancel_futures=True)
    late = "DNS took too long"
    return [task.result() if task.done() else _unknown(kind, late) for kind, task in tasks.items()]


def check_keys(waiting: Dkim, dns: Dns) -> Check:
    """Whether the records of keys that wait are published, so that one may switch to them."""
    return _told("dkim", lambda: _dkim(waiting, dns))


def _told(kind: str, one: Callable[[], Check]) -> Check:
    try:
        return one()
    except CannotTell as error:
        return _unknown(kind, str(error))


def _unknown(kind: str, why: str) -> Check:
    return Check(kind, "unknown", f"{KINDS[kind]} could not be checked: {why}.", "Try again in a minute.")


def _tags(record: str) -> dict[str, str]:
    """`v=DKIM1; p=…` by tag, without blanks (RFC 6376, section 3.2)."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, _, value in pairs if name.strip()}


def _dkim(signing: Dkim | None, dns: Dns) -> Check:
    if signing is None:
        hint = "If your mail server signs for this domain, go on; else make keys: cairn identities add … --selector."
        message = "Cairn does not sign this mail; whether the mail server does is not seen from here."
        return Check("dkim", "unknown", message, hint)
    for key in signing.keys:
        if (problem := _of_key(signing.domain, key, dns)) is not None:
            return problem
    return Check("dkim", "verified", f"The published keys of {signing.domain} are ours.")


def _of_key(domain: str, key: Key, dns: Dns) -> Check | None:
    name = f"{key.selector}._domainkey.{domain}"
    records = dns.texts(name)
    if not records:
        return Check(
            "dkim",
            "missing",
            f"There is no key at {name}.",
            PUBLISH,
        )
    if len(records) > 1 or _tags(records[0]).get("p") != _tags(key.record())["p"]:
        return Check(
            "dkim", "wrong", f"The key published at {name} is not ours.", "Replace it by ours, one record only."
        )
    return None


def _spf(identity: Identity, dns: Dns, bounces: ReturnPath | None, relays: str) -> Check:
    domain = bounces.domain if bounces else identity.domain
    hint = f'Publish one TXT record at {domain} that names your relays, such as "v=spf1 include:RELAY ~all".'
    try:
        record = spf.record_of(domain, dns)
        if not record:
            return Check("spf", "missing", f"{domain} does not say which servers send its mail.", hint)
        if record.lower().split()[-1] in ("+all", "all"):
            return Check("spf", "wrong", f"The SPF record of {domain} lets everybody send its mail.", hint)
        if identity.dkim is None and not related(domain, identity.domain):
            why = f"Return paths lead to {domain}, so SPF proves nothing of {identity.domain}, and Cairn does not sign."
            return Check("spf", "wrong", why, "Sign its mail, or take return paths of the same domain.")
        return _named(identity, domain, dns, relays)
    except spf.Broken as error:
        return Check("spf", "wrong", f"The SPF record of {domain} does not count: {error}.", hint)


def _named(identity: Identity, domain: str, dns: Dns, relays: str) -> Check:
    """Whether the record names the addresses at which the relays are reached.

    A relay may send from others, which only it knows; signed mail does not need SPF, so then this is but a remark.
    Raises spf.Broken.
    """
    known = f"{domain} names its servers."
    try:
        reached = [(host, each) for host in _hosts(relays) for each in spf.seen_outside(_addresses(host, dns))]
        left_out = [(host, each) for host, each in reached if spf.Question(dns, each).result(domain) != "pass"]
    except CannotTell as error:
        return Check("spf", "verified", f"{known} Whether your relay is one cannot be told: {error}.")
    if left_out:
        host, address = left_out[0]
        message = f"{domain} names its servers, but not {address}, where {host} is reached."
        hint = f"If it sends from there, add ip{address.version}:{address}. If it sends from others, all is well."
        if identity.dkim is None:
            return Check("spf", "unknown", message, hint)
        return Check("spf", "verified", f"{message} {hint}")
    if reached:
        names = ", ".join(dict.fromkeys(host for host, _ in reached))
        return Check("spf", "verified", f"{domain} names its servers, {names} among them.")
    return Check("spf", "verified", f"{known} From which addresses your relay sends, only it knows.")


def _hosts(relays: str) -> list[str]:
    """Mail servers; vendors send from servers of their own."""
    return [Server.parse(each).host for each in relays.split() if not is_account(each)]


def _addresses(host: str, dns: Dns) -> set[str]:
    try:
        return {str(ipaddress.ip_address(host))}
    except ValueError:
        return dns.addresses(host)


def related(one: str, other: str) -> bool:
    """Whether one domain is the other, or below it: what DMARC calls aligned, without a list of registries."""
    one, other = one.lower(), other.lower()
    return one == other or one.endswith("." + other) or other.endswith("." + one)


def _upwards(domain: str) -> Iterator[str]:
    """The domain and those above it, but top-level domains."""
    labels = domain.split(".")
    return (".".join(labels[place:]) for place in range(max(1, len(labels) - 1)))


def _dmarc(identity: Identity, dns: Dns) -> Check:
    for domain in _upwards(identity.domain):
        found = [each for each in dns.texts(f"_dmarc.{domain}") if each.split(";")[0].strip().lower() == "v=dmarc1"]
        if len(found) > 1:
            return Check("dmarc", "wrong", f"_dmarc.{domain} has {len(found)} records, so none counts.", "Leave one.")
        if found:
            return _aligned(identity, domain, _tags(found[0]))
    hint = f'Publish a TXT record at _dmarc.{identity.domain}, to begin with "v=DMARC1; p=none".'
    return Check("dmarc", "missing", f"{identity.domain} does not say what to do with mail that proves nothing.", hint)


def _aligned(identity: Identity, domain: str, tags: dict[str, str]) -> Check:
    signed = identity.dkim.domain.lower() if identity.dkim else ""
    strict = tags.get("adkim", "r").lower() == "s"
    if signed and (signed != identity.domain if strict else not related(signed, identity.domain)):
        message = f"Mail from {identity.domain} is signed by {signed}, which the policy of {domain} does not count."
        return Check("dmarc", "wrong", message, "Sign with keys of the domain of the address.")
    return Check("dmarc", "verified", f"{domain} has a policy.")


def _links(identity: Identity, dns: Dns, site: str) -> Check:
    name, own = urlsplit(identity.site).hostname or "", urlsplit(site).hostname or ""
    found = dns.addresses(name)
    hint = f"Publish a CNAME at {name} that leads to {own}."
    if not found:
        return Check("links", "missing", f"Links lead to {name}, which DNS does not know.", hint)
    ours = dns.addresses(own)
    if ours and found.isdisjoint(ours):
        return Check("links", "wrong", f"{name} leads to {min(found)}, not to where {own} does.", hint)
    return Check("links", "verified", f"{name} leads to this site.")


def _answers(identity: Identity, dns: Dns) -> Check:
    domain = (identity.reply_to or identity.address).rpartition("@")[2].lower()
    servers = dns.mail_servers(domain)
    hint = "Use an address that somebody reads."
    if servers == ["."]:
        return Check("answers", "wrong", f"{domain} takes no mail, so nobody can answer.", hint)
    if not servers and not dns.addresses(domain):
        return Check("answers", "missing", f"{domain} has no mail server, so nobody can answer.", hint)
    return Check("answers", "verified", f"{domain} takes mail.")
