"""Topics, consent as an append-only history with its fold, and suppressed addresses."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt, Id


class Topic(Base):
    """What messages are about. Without a word from the contact, `default_state` holds (on email)."""

    __tablename__ = "topics"

    slug: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    default_state: Mapped[str] = mapped_column(server_default=text("'subscribed'"))  # subscribed, unsubscribed
    created_at: Mapped[CreatedAt]


class ConsentEvent(Base):
    """One act of consent or refusal, never changed. Topic '' speaks of the whole channel."""

    __tablename__ = "consent_events"
    __table_args__ = (Index("consent_events_contact_idx", "contact_id", "occurred_at"),)

    id: Mapped[Id]
    contact_id: Mapped[int]
    channel: Mapped[str]
    topic: Mapped[str] = mapped_column(server_default=text("''"))
    action: Mapped[str]  # subscribed, unsubscribed
    source: Mapped[str]
    lawful_basis: Mapped[str | None]
    wording: Mapped[str | None]
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    occurred_at: Mapped[dt.datetime]


class ConsentState(Base):
    """The fold of `consent_events`: the last word of a contact on a channel and topic."""

    __tablename__ = "consent_states"

    contact_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    changed_at: Mapped[dt.datetime]


class Suppression(Base):
    """An address that must never be sent to, kept as an HMAC so that it survives erasure."""

    __tablename__ = "suppressions"

    address_hmac: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]  # unsubscribed, hard_bounce, soft_bounce, complaint, manual
    created_at: Mapped[CreatedAt]
