"""Rollups: counters kept beside the ledger, in the commits that change it, and rebuildable from it (I4)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy import Date, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base

zero = text("0")


class MessageRollup(Base):
    """Messages of a step by the UTC day of their `accepted_at` (of `ended_at` for those never accepted)."""

    __tablename__ = "message_rollups"

    journey_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step_id: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    sent: Mapped[int] = mapped_column(server_default=zero)
    undelivered: Mapped[int] = mapped_column(server_default=zero)  # suppressed, expired, cancelled, failed, unknown
    raw_opens: Mapped[int] = mapped_column(server_default=zero)
    human_opens: Mapped[int] = mapped_column(server_default=zero)
    raw_clicks: Mapped[int] = mapped_column(server_default=zero)
    human_clicks: Mapped[int] = mapped_column(server_default=zero)
    unsubscribes: Mapped[int] = mapped_column(server_default=zero)
    delivered: Mapped[int] = mapped_column(server_default=zero)  # of those sent, as far as providers say so
    bounced: Mapped[int] = mapped_column(server_default=zero)
    complained: Mapped[int] = mapped_column(server_default=zero)
    untracked: Mapped[int] = mapped_column(server_default=zero)  # sent, or perhaps, without pixel and tracked links
    conversions: Mapped[Decimal] = mapped_column(server_default=zero)
    revenue: Mapped[Decimal] = mapped_column(server_default=zero)
    cost: Mapped[Decimal] = mapped_column(server_default=zero)


class WithheldRollup(Base):
    """Messages that ended at the gate as suppressed or expired, by reason and the UTC day of their `ended_at`."""

    __tablename__ = "withheld_rollups"

    journey_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step_id: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    messages: Mapped[int] = mapped_column(server_default=zero)


class HitRollup(Base):
    """Hits that were judged by UTC day, kind, class, rule ('' before rules were kept) and version of the rules."""

    __tablename__ = "hit_rollups"

    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    classification: Mapped[str] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    hits: Mapped[int] = mapped_column(server_default=zero)


class StepRollup(Base):
    """Rows of `step_log` counted by journey, step, outcome and UTC day."""

    __tablename__ = "step_rollups"

    journey_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step_id: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    count: Mapped[int] = mapped_column(server_default=zero)


class EntryRollup(Base):
    """Entries and their goals by arm and UTC day of entry; split_id '' speaks of the whole journey.

    `entries` and `goals` count all; lift needs independent observations, so `contacts`, `conversions` and the values
    count each contact once, by its first entry.
    """

    __tablename__ = "entry_rollups"

    journey_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    split_id: Mapped[str] = mapped_column(primary_key=True)
    arm: Mapped[str] = mapped_column(primary_key=True)  # '' or the path's number; 'holdout'
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    entries: Mapped[int] = mapped_column(server_default=zero)
    goals: Mapped[int] = mapped_column(server_default=zero)
    contacts: Mapped[int] = mapped_column(server_default=zero)
    conversions: Mapped[int] = mapped_column(server_default=zero)
    value: Mapped[Decimal] = mapped_column(server_default=zero)
    value_squared: Mapped[Decimal] = mapped_column(server_default=zero)
