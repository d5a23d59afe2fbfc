"""What comes back about messages: receipts, the mail that brings them, and the streams that they have paused."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, Id

TROUBLE = "kind in ('soft', 'hard', 'policy', 'complaint')"
"""Receipts that somebody has to look at, among many deliveries."""


class Receipt(Base):
    """One word of a provider or mail server about a message, never changed; `provider_id` makes it one for ever.

    kind: delivered, deferred, soft, hard, policy, complaint, replied; ignored: mail that says nothing about a message.
    `message_id` and `origin_at` are NULL while nobody knows which message is meant. `address_hmac` and `domain` are the
    recipient's. `settled_at` is NULL until its effects are written. `payload` is what arrived, cut to 64 kB.
    """

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("provider", "provider_id"),
        Index("receipts_open_idx", "id", postgresql_where=text("settled_at is null and error is null")),
        Index("receipts_message_idx", "message_id", postgresql_where=text("message_id is not null")),
        Index("receipts_address_idx", "address_hmac", "occurred_at", postgresql_where=text("address_hmac is not null")),
        Index("receipts_payload_idx", "received_at", postgresql_where=text("payload is not null")),
        Index("receipts_trouble_idx", "received_at", "domain", postgresql_where=text(TROUBLE)),
    )

    id: Mapped[Id]
    provider: Mapped[str]  # mail, smtp, or the name of an HTTP provider
    provider_id: Mapped[str] = mapped_column(Text(collation="C"))  # names of a gateway are looked for by their range
    channel: Mapped[str]
    kind: Mapped[str]
    message_id: Mapped[int | None]
    origin_at: Mapped[dt.datetime | None]
    recipient: Mapped[str | None]
    address_hmac: Mapped[bytes | None] = mapped_column(LargeBinary)
    domain: Mapped[str | None]
    status: Mapped[str]  # of RFC 3463, or the provider's own code
    reason: Mapped[str]
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)
    occurred_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime]
    settled_at: Mapped[dt.datetime | None]
    error: Mapped[str | None]  # why its effects could not be written


class ReceiptMail(Base):
    """A mail that came to a door for bounces, stored before it was acknowledged. It goes when it has been read.

    `door`: pipe, lmtp, imap, pop3, api. `error` says why it was set aside; nobody tries it again by itself.
    """

    __tablename__ = "receipt_mails"
    __table_args__ = (Index("receipt_mails_due_idx", "id", postgresql_where=text("error is null")),)

    id: Mapped[Id]
    door: Mapped[str]
    recipients: Mapped[list[str]]
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[dt.datetime]
    error: Mapped[str | None]


class StreamPause(Base):
    """A stream whose messages stay queued. Rows stay when it goes on again, as the history.

    stream: `domain:SENDER>DOMAIN`, `journey:SLUG`, `campaign:ID`. `by` is who paused it, `breaker` for Cairn itself.
    """

    __tablename__ = "stream_pauses"
    __table_args__ = (
        Index("stream_pauses_open_key", "stream", unique=True, postgresql_where=text("resumed_at is null")),
    )

    id: Mapped[Id]
    stream: Mapped[str]
    reason: Mapped[str]
    by: Mapped[str]
    paused_at: Mapped[dt.datetime]
    resumed_at: Mapped[dt.datetime | None]
    resumed_by: Mapped[str | None]
