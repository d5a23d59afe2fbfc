"""What contacts did, and the two inboxes that tell the rest of the engine about it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt, Id


class Event(Base):
    """One thing a contact did. Order is (occurred_at, received_at, message_id); partitioned by month of receipt."""

    __tablename__ = "events"
    __table_args__ = (
        # A window bounds `received_at` too, so the indexes hold it: rules without `where` then read no rows at all.
        Index("events_contact_idx", "contact_id", "name", "occurred_at", postgresql_include=["received_at"]),
        Index("events_name_idx", "name", "occurred_at", postgresql_include=["contact_id", "received_at"]),
        {"postgresql_partition_by": "RANGE (received_at)"},
    )

    message_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    received_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    occurred_at: Mapped[dt.datetime]
    contact_id: Mapped[int]
    name: Mapped[str]
    properties: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    context: Mapped[dict[str, Any] | None]
    source: Mapped[str]  # api, import, tracking, journey


class EventKey(Base):
    """Every message_id ever taken, so that a repeated delivery is recorded once."""

    __tablename__ = "event_keys"
    __table_args__ = ({"postgresql_partition_by": "HASH (message_id)"},)

    message_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)


class EventDefinition(Base):
    """A known event name with the types of its properties, as seen."""

    __tablename__ = "event_definitions"

    name: Mapped[str] = mapped_column(primary_key=True)
    properties: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    created_at: Mapped[CreatedAt]


class EventInbox(Base):
    """Events that journeys and segments have not looked at yet. Written in the commit that stores the event.

    Rows are taken in the order (available_at, occurred_at, received_at, message_id) and deleted when matched.
    `triggers` is false for events that may only refresh segments (late or imported ones).
    """

    __tablename__ = "event_inbox"
    __table_args__ = (Index("event_inbox_order_idx", "available_at", "occurred_at", "received_at", "message_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    available_at: Mapped[dt.datetime]
    contact_id: Mapped[int]
    name: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime]
    message_id: Mapped[str] = mapped_column(Text(collation="C"))
    properties: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    triggers: Mapped[bool] = mapped_column(server_default=text("true"))
    error: Mapped[str | None]  # why it was set aside; its available_at is then infinite


class ChangeInbox(Base):
    """Contacts whose attributes, consent, lists or segments changed, in the commit that changed them.

    kind: attribute, consent, list, segment_entered, segment_left, message, settled. `names` are the attribute names,
    topics, slugs of lists or segments, the content that was accepted, or the step whose message found its fate.
    """

    __tablename__ = "change_inbox"

    id: Mapped[Id]
    contact_id: Mapped[int]
    kind: Mapped[str]
    names: Mapped[list[str]]
    created_at: Mapped[CreatedAt]
