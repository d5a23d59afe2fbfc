"""Return paths that name the message (VERP): what comes back to one tells which message it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import idna

from engine.errors import ConfigurationError
from engine.signing import BOUNCE_LENGTH, Signer
from engine.tracking.links import MessageKey
from engine.urls import origin_at

LONGEST_LOCAL = 64  # RFC 5321, section 4.5.3.1.1
LOCAL = re.compile(r"[a-z0-9][a-z0-9._-]*").fullmatch
DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+").fullmatch
NAMED = re.compile(rf"(?<![\w.-])[\w.-]{{1,23}}[-+=]([a-z2-7]{{{BOUNCE_LENGTH}}})@([a-z0-9.-]{{1,253}})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """Where bounces go: `b-NAME@bounces.example.com`, or `bounces+NAME@example.com` for one mailbox."""

    prefix: str
    domain: str

    @property
    def setting(self) -> str:
        """As `return_path` reads it."""
        mailbox = self.prefix.removesuffix("+")
        return f"{mailbox}@{self.domain}" if mailbox != self.prefix else self.domain

    def takes(self, recipient: str) -> bool:
        """Whether mail to this address comes back to us: to the domain, or to the one mailbox and its extensions."""
        local, _, domain = recipient.lower().rpartition("@")
        mailbox = self.prefix.removesuffix("+") if self.prefix.endswith("+") else ""
        return domain == self.domain and (not mailbox or local.partition("+")[0] == mailbox)

    def of(self, signer: Signer, message_id: int, origin_us: int) -> str:
        """The return path of a message; its local part has at most 64 characters, in lower case."""
        return f"{self.prefix}{signer.bounce(message_id, origin_us)}@{self.domain}"


def return_path(setting: str | None) -> ReturnPath | None:
    """From CAIRN_BOUNCE_DOMAIN, a domain or an address; None when it is unset. Raises ConfigurationError."""
    if not setting:
        return None
    local, at, domain = setting.strip().lower().rpartition("@")
    try:
        domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        domain = ""
    if not DOMAIN(domain) or (at and not LOCAL(local)) or len(local) + 1 + BOUNCE_LENGTH > LONGEST_LOCAL:
        raise ConfigurationError(
            f"CAIRN_BOUNCE_DOMAIN “{setting}” is neither a domain (bounces.example.com) nor a short address "
            "(bounces@example.com) of letters, digits and . _ -"
        )
    return ReturnPath(f"{local}+" if at else "b-", domain)


@dataclass(frozen=True, slots=True)
class Named:
    """What the addresses of a mail name: messages, and whether one of them holds a name that was not made here."""

    keys: tuple[MessageKey, ...] = ()
    forged: bool = False


def named(texts: Iterable[str], signer: Signer) -> Named:
    """The messages whose return paths, or addresses for answers, stand in these addresses or header values."""
    names = {match[1].lower() for text in texts for match in NAMED.finditer(text[:10_000])}
    read = [signer.read_bounce(name) or signer.read_reply(name) for name in sorted(names)]
    keys = {(reference.message_id, origin_at(reference)) for reference in read if reference is not None}
    return Named(tuple(sorted(keys)), any(reference is None for reference in read))


def is_for_answers(texts: Iterable[str], signer: Signer) -> bool:
    """Whether one of these is the address for answers of a message (`engine.identities`, TOKEN in a Reply-To)."""
    names = {match[1].lower() for text in texts for match in NAMED.finditer(text[:10_000])}
    return any(signer.read_reply(name) is not None for name in names)
