"""The central contact record."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt, Id, new_public_id


class Contact(Base):
    """A person. `attributes` holds typed values; names of columns here are reserved as rule fields."""

    __tablename__ = "contacts"
    __table_args__ = (
        Index("contacts_email_idx", func.lower(text("email"))),
        Index("contacts_phone_idx", "phone"),
        Index("contacts_erased_idx", "id", postgresql_where=text("erased_at is not null")),
        {"postgresql_with": {"fillfactor": "85"}},
    )

    id: Mapped[Id]
    public_id: Mapped[str] = mapped_column(
        Text,
        unique=True,
        default=new_public_id,
        server_default=text("replace(gen_random_uuid()::text, '-', '')"),
    )
    external_id: Mapped[str | None] = mapped_column(unique=True)
    email: Mapped[str | None]
    phone: Mapped[str | None]  # E.164
    timezone: Mapped[str | None]  # IANA name, as given; unknown zones fall back at use
    locale: Mapped[str | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    erased_at: Mapped[dt.datetime | None]


class ContactIdentity(Base):
    """What finds a contact: kind is `external_id`, `email` (lower case) or `anonymous_id`."""

    __tablename__ = "contact_identities"

    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)


class AttributeDefinition(Base):
    """A known attribute of contacts; type is text, number, boolean, date, datetime, list or object."""

    __tablename__ = "attribute_definitions"

    name: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    created_at: Mapped[CreatedAt]
