"""Topics, consent as an append-only history with its fold, and suppressed addresses."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt, Id


class Topic(Base):
    """What messages are about. Without a word from the contact, `default_state` holds (on email).

    `public` ones stand in the preference centre, in the order of `position`. Archived ones can no longer be chosen.
    With `double_opt_in` a subscription holds once it is confirmed.
    """

    __tablename__ = "topics"

    slug: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    default_state: Mapped[str] = mapped_column(server_default=text("'subscribed'"))  # subscribed, unsubscribed
    description: Mapped[str] = mapped_column(server_default=text("''"))
    public: Mapped[bool] = mapped_column(server_default=text("true"))
    position: Mapped[int] = mapped_column(server_default=text("0"))
    double_opt_in: Mapped[bool] = mapped_column(server_default=text("false"))
    archived_at: Mapped[dt.datetime | None]
    created_at: Mapped[CreatedAt]


class Wording(Base):
    """A version of what people read when they agreed; never changed. `hash` is the SHA-256 of the text in hex."""

    __tablename__ = "wordings"

    slug: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str]
    hash: Mapped[str]
    created_at: Mapped[CreatedAt]


class ConsentEvent(Base):
    """One act of consent or refusal, which a trigger keeps from being changed. Topic '' speaks of the whole channel.

    action: subscribed, unsubscribed, requested (not confirmed yet), expired, snoozed, resumed. channel: email, sms,
    tracking. lawful_basis: consent, implied, legitimate_interest, contract. `wording` is SLUG@VERSION. `expires_at` is
    the end of what was only implied, or of a pause. `proof` holds what else shows that it happened.
    """

    __tablename__ = "consent_events"
    __table_args__ = (Index("consent_events_contact_idx", "contact_id", "occurred_at"),)

    id: Mapped[Id]
    contact_id: Mapped[int]
    channel: Mapped[str]
    topic: Mapped[str] = mapped_column(server_default=text("''"))
    action: Mapped[str]
    source: Mapped[str]
    lawful_basis: Mapped[str | None]
    wording: Mapped[str | None]
    wording_hash: Mapped[str | None]
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    occurred_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None]
    proof: Mapped[dict[str, Any] | None]


class ConsentState(Base):
    """The fold of `consent_events`: the last word of a contact on a channel and topic.

    state: subscribed, unsubscribed, pending (asked for, not confirmed), expired (was implied, and its time is over).
    """

    __tablename__ = "consent_states"
    __table_args__ = (
        Index("consent_states_expiry_idx", "expires_at", postgresql_where=text("expires_at is not null")),
    )

    contact_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    changed_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None]


class ConsentPause(Base):
    """A contact wants nothing on a channel until an instant; nothing else about consent changes."""

    __tablename__ = "consent_pauses"

    contact_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[dt.datetime]


class ConsentRequest(Base):
    """A subscription that a message asks to confirm (double opt-in), with the proof of its first step."""

    __tablename__ = "consent_requests"
    __table_args__ = (
        Index("consent_requests_contact_idx", "contact_id", "requested_at"),
        Index("consent_requests_texts_idx", "requested_at", postgresql_where=text("channel = 'sms'")),
    )

    message_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    contact_id: Mapped[int]
    channel: Mapped[str]
    topics: Mapped[list[str]]
    lists: Mapped[list[str]]
    source: Mapped[str]
    wording: Mapped[str | None]
    wording_hash: Mapped[str | None]
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    requested_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    confirmed_at: Mapped[dt.datetime | None]


class LeavingReason(Base):
    """Why somebody left by a message, as they said afterwards. reason: too_many, not_relevant, not_asked, other."""

    __tablename__ = "leaving_reasons"
    __table_args__ = (Index("leaving_reasons_at_idx", "at"), Index("leaving_reasons_contact_idx", "contact_id"))

    message_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    origin_at: Mapped[dt.datetime]
    contact_id: Mapped[int]
    reason: Mapped[str]
    words: Mapped[str] = mapped_column(server_default=text("''"))
    at: Mapped[dt.datetime]


class Suppression(Base):
    """An address that must never be sent to, kept as an HMAC so that it survives erasure."""

    __tablename__ = "suppressions"

    address_hmac: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]  # unsubscribed, hard_bounce, soft_bounce, complaint, manual
    created_at: Mapped[CreatedAt]
