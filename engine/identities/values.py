"""A sending identity as messages are made with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from engine.sealing import Keys
from engine.workspace import Workspace

if TYPE_CHECKING:
    from engine.channels.dkim import Dkim
    from engine.receipts.verp import ReturnPath

OWN = "workspace"
"""The name of the sender that the workspace's settings name."""
TOKEN = "TOKEN"
"""The word in a Reply-To that stands for the name of the message."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`site` is the base of addresses in messages, `relays` a setting as CAIRN_SMTP_URL, empty for the installation's.

    `unverified`: campaigns may use it whatever DNS
    says of it. One that is `broken` sends nothing, for this reason.
    `reply_to` may hold TOKEN, which stands for the name of the message. `next` are keys that wait to be switched to.
    `bounces` are its own return paths, in place of the installation's.
    """

    slug: str
    name: str
    address: str
    site: str
    reply_to: str = ""
    postal_address: str = ""
    dkim: Dkim | None = None
    next: Dkim | None = None
    bounces: ReturnPath | None = None
    relays: str = field(default="", repr=False)
    tracking_domain: str = ""
    unverified: bool = False
    broken: str = ""

    @property
    def return_path(self) -> str:
        """Its own, as CAIRN_BOUNCE_DOMAIN would have it."""
        return self.bounces.setting if self.bounces is not None else ""

    @property
    def domain(self) -> str:
        """The domain of its address, in lower case."""
        return self.address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class House:
    """What the installation itself sends with; `sealing_keys` are the signer's."""

    site: str
    sealing_keys: Keys = field(default=(), repr=False)
    dkim: Dkim | None = None

    def identity(self, known: Workspace) -> Identity:
        """The sender that the workspace's settings name."""
        return Identity(
            OWN,
            known.sender_name,
            known.sender_address,
            self.site,
            postal_address=known.postal_address,
            dkim=self.dkim,
            unverified=known.send_unverified,
        )

    def site_of(self, tracking_domain: str) -> str:
        """The base of addresses at a tracking domain; it is reached as the site itself is, by https or not."""
        return f"{urlsplit(self.site).scheme or 'https'}://{tracking_domain}" if tracking_domain else self.site


@dataclass(frozen=True, slots=True)
class Senders:
    """All identities by slug, and the one for messages that name none."""

    default: Identity
    by_slug: Mapping[str, Identity]

    def of(self, slug: str | None) -> Identity | None:
        """The identity for a message; None if there is none of this name any more."""
        found = self.by_slug.get(slug) if slug else self.default
        return None if found is None or found.broken else found


def sending_as(known: Workspace, identity: Identity) -> Workspace:
    """The workspace with the identity's sender and postal address, for what renders by the workspace's settings."""
    return dataclasses.replace(
        known,
        sender_name=identity.name,
        sender_address=identity.address,
        postal_address=identity.postal_address or known.postal_address,
    )
