"""Segments (by rule) and lists (by hand)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt, Id, PublicId


class Segment(Base):
    """A saved rule.

    `asks` counts how often a full refresh was asked for: one that began before the last time leaves the segment stale.
    `contact_count` changes in the commits that change memberships. `heard`: somebody asks who enters and leaves, a
    journey or another segment, so that changes are announced. `periodic`: refreshed as a whole again and again, since
    the next change of its rule cannot be foretold.
    """

    __tablename__ = "segments"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    rule: Mapped[str]
    contact_count: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[CreatedAt]
    refreshed_at: Mapped[dt.datetime | None]
    stale: Mapped[bool] = mapped_column(server_default=text("true"))  # asks for a full refresh
    asks: Mapped[int] = mapped_column(server_default=text("0"))
    heard: Mapped[bool] = mapped_column(server_default=text("false"))
    periodic: Mapped[bool] = mapped_column(server_default=text("false"))


class SegmentMembership(Base):
    """A stay in a segment; the open stay has no `left_at`."""

    __tablename__ = "segment_memberships"
    __table_args__ = (
        Index(
            "segment_memberships_open_key",
            "segment_id",
            "contact_id",
            unique=True,
            postgresql_where=text("left_at is null"),
        ),
        Index("segment_memberships_contact_idx", "contact_id", "segment_id", "entered_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"))
    contact_id: Mapped[int]
    entered_at: Mapped[dt.datetime]
    left_at: Mapped[dt.datetime | None]


class SegmentExpiry(Base):
    """Until when the stored membership holds, be it in or out, if time alone may change it; else there is no row.

    `at` may come early, never late: then one looks again. Rows have no foreign keys, as there may be millions; those
    of what is gone go when they fall due.
    """

    __tablename__ = "segment_expiries"
    __table_args__ = (Index("segment_expiries_due_idx", "at"),)

    contact_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    segment_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime]


class List(Base):
    """A list that people are put on and taken off by hand, import, form or journey."""

    __tablename__ = "lists"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    created_at: Mapped[CreatedAt]


class ListMembership(Base):
    """A stay on a list; the open stay has no `removed_at`."""

    __tablename__ = "list_memberships"
    __table_args__ = (
        Index(
            "list_memberships_open_key",
            "list_id",
            "contact_id",
            unique=True,
            postgresql_where=text("removed_at is null"),
        ),
        Index("list_memberships_contact_idx", "contact_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("lists.id", ondelete="CASCADE"))
    contact_id: Mapped[int]
    added_at: Mapped[dt.datetime]
    removed_at: Mapped[dt.datetime | None]
