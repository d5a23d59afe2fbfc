"""Who mail comes from, and how it is made known."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Float, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt


class Identity(Base):
    """A sender by its slug, beside the one that the workspace's settings name.

    `relays` (as CAIRN_SMTP_URL, NULL: the installation's) and `dkim` (pairs of selector and PEM) are sealed
    (`engine.sealing`). `dkim_next` waits until its records are published. `return_path` is as CAIRN_BOUNCE_DOMAIN. What
    is empty is the workspace's. `unverified`: campaigns may use it whatever DNS says.
    """

    __tablename__ = "identities"

    slug: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    address: Mapped[str]
    reply_to: Mapped[str] = mapped_column(server_default=text("''"))
    relays: Mapped[bytes | None] = mapped_column(LargeBinary)
    dkim: Mapped[bytes | None] = mapped_column(LargeBinary)
    dkim_next: Mapped[bytes | None] = mapped_column(LargeBinary)
    return_path: Mapped[str] = mapped_column(server_default=text("''"))
    tracking_domain: Mapped[str] = mapped_column(server_default=text("''"))
    postal_address: Mapped[str] = mapped_column(server_default=text("''"))
    unverified: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[CreatedAt]


class WarmUp(Base):
    """So many messages a day of an identity (to a recipient domain, '' for all): `first`, then `growth` times more each
    day until `until` are reached, which ends it.

    `sent` went on `day`. What is over waits for a later day: `tail` are planned for `tail_day`.
    """

    __tablename__ = "warm_ups"

    identity: Mapped[str] = mapped_column(primary_key=True)
    domain: Mapped[str] = mapped_column(primary_key=True)
    first: Mapped[int]
    growth: Mapped[float] = mapped_column(Float)
    until: Mapped[int]
    started_on: Mapped[dt.date]
    day: Mapped[dt.date | None]
    sent: Mapped[int] = mapped_column(server_default=text("0"))
    tail_day: Mapped[dt.date | None]
    tail: Mapped[int] = mapped_column(server_default=text("0"))
