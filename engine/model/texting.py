"""Texts that came in, and by which names gateways speak of texts that went out."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, Id


class IncomingText(Base):
    """A text of a contact, or of a number that is nobody's. `answer` is what was texted back."""

    __tablename__ = "incoming_texts"
    __table_args__ = (
        UniqueConstraint("gateway", "reference"),
        Index("incoming_texts_sender_idx", "sender", "received_at"),
        Index("incoming_texts_contact_idx", "contact_id", postgresql_where=text("contact_id is not null")),
    )

    id: Mapped[Id]
    gateway: Mapped[str]
    reference: Mapped[str]  # the gateway's own name for it
    sender: Mapped[str]
    recipient: Mapped[str]
    body: Mapped[str]
    keyword: Mapped[str | None]  # stop, start, help, confirm
    contact_id: Mapped[int | None]
    answer: Mapped[str | None]
    received_at: Mapped[dt.datetime]


class TextPart(Base):
    """A piece of a text that came in several. `data` are its bytes in the codec `coding`."""

    __tablename__ = "text_parts"
    __table_args__ = (
        UniqueConstraint(
            "gateway", "sender", "recipient", "reference", "total", "number", name="text_parts_gateway_key"
        ),
        Index("text_parts_waiting_idx", "received_at", postgresql_where=text("taken_at is null")),
    )

    id: Mapped[Id]
    gateway: Mapped[str]
    sender: Mapped[str]
    recipient: Mapped[str]
    reference: Mapped[int]
    total: Mapped[int]
    number: Mapped[int]
    coding: Mapped[str]
    data: Mapped[bytes]
    received_at: Mapped[dt.datetime]
    taken_at: Mapped[dt.datetime | None]


class GatewayReference(Base):
    """A message by the name that its gateway gave it."""

    __tablename__ = "gateway_references"
    __table_args__ = (Index("gateway_references_stored_idx", "stored_at"),)

    gateway: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[int]
    origin_at: Mapped[dt.datetime]
    stored_at: Mapped[dt.datetime]
