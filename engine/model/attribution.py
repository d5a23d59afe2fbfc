"""Conversions, the credit that messages get for them, and what sending costs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy import Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt, Id


class Conversion(Base):
    """A goal met by an entry (`goal`) or an event with revenue (`revenue`). Values in the workspace's currency."""

    __tablename__ = "conversions"
    __table_args__ = (
        UniqueConstraint("kind", "event_message_id", "enrolment_id", postgresql_nulls_not_distinct=True),
        Index("conversions_contact_idx", "contact_id", "occurred_at"),
        Index("conversions_enrolment_idx", "enrolment_id", postgresql_where=text("enrolment_id is not null")),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    contact_id: Mapped[int]
    enrolment_id: Mapped[int | None]
    journey_id: Mapped[int | None]
    event_name: Mapped[str]
    event_message_id: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    value: Mapped[Decimal] = mapped_column(server_default=text("0"))


class Credit(Base):
    """What a message gets of a conversion under a model; the shares of one conversion and model sum to at most 1."""

    __tablename__ = "credits"
    __table_args__ = (Index("credits_message_idx", "message_id"),)

    conversion_id: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(primary_key=True)
    origin_at: Mapped[dt.datetime]
    model_version: Mapped[int] = mapped_column(SmallInteger)
    share: Mapped[Decimal]
    value: Mapped[Decimal]


class Cost(Base):
    """A price: `message` per message of a channel, or `fixed` for a journey or the workspace; from `valid_from` on."""

    __tablename__ = "costs"

    id: Mapped[Id]
    kind: Mapped[str]
    channel: Mapped[str | None]
    journey_id: Mapped[int | None]
    name: Mapped[str]
    amount: Mapped[Decimal]
    valid_from: Mapped[dt.datetime]
    created_at: Mapped[CreatedAt]
