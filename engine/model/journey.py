"""Journeys, their frozen versions, the people in them and the log of their steps."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Sequence, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt, Id, PublicId


class Journey(Base):
    """state: draft, live, paused (clocks hold), draining (no entries), stopped. `draft` is the author's text.

    `next_entry_at` is the next slot of a journey that people enter by a schedule.
    """

    __tablename__ = "journeys"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    slug: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default=text("'draft'"))
    draft: Mapped[str | None]
    live_version_id: Mapped[int | None]
    created_at: Mapped[CreatedAt]
    published_at: Mapped[dt.datetime | None]
    next_entry_at: Mapped[dt.datetime | None]


class JourneyVersion(Base):
    """A published text, never changed; people in flight stay on the version that they entered."""

    __tablename__ = "journey_versions"
    __table_args__ = (UniqueConstraint("journey_id", "number"),)

    id: Mapped[Id]
    journey_id: Mapped[int] = mapped_column(ForeignKey("journeys.id", ondelete="CASCADE"))
    number: Mapped[int]
    source: Mapped[str]
    published_by: Mapped[str | None]
    published_at: Mapped[CreatedAt]


HOPING = "status <> 'active' and goal_at is null and goal_until is not null"
"""Entries that are over, or held out, and may still see their goal: versions that have some are still matched."""


class Enrolment(Base):
    """One entry of one contact into one journey.

    status: active, held_out (takes no step), completed, exited, converted, stopped, failed.
    phase, while active: `ready` (its step is to be executed), `waiting` (at a wait or wait_for), `held` (a send that is
    not allowed yet), `sending` (a message or call is under way, whose fate the step waits for).
    I2: an active row has a `wake_at`.
    `visit` is how often `step_id` was reached in this entry; `visits` holds the same of all steps that may be reached
    again: those in a loop, or all that were reached before an entry was put back to a step. The trigger is the event
    that started the entry, in the order (occurred_at, received_at, message_id); entries by segment or call carry the
    instant of entry and an empty message_id.
    `goal_until` is set while the goal may still count.
    """

    __tablename__ = "enrolments"
    __table_args__ = (
        UniqueConstraint("journey_id", "contact_id", "entry_key"),
        Index("enrolments_due_idx", "version_id", "wake_at", postgresql_where=text("status = 'active'")),
        Index("enrolments_contact_idx", "contact_id"),
        Index("enrolments_held_out_idx", "version_id", postgresql_where=text("status = 'held_out'")),
        Index("enrolments_hoping_idx", "version_id", "goal_until", postgresql_where=text(HOPING)),
        CheckConstraint("status <> 'active' or (wake_at is not null and phase is not null)", name="awake"),
        {"postgresql_with": {"fillfactor": "80"}},
    )

    id: Mapped[Id]
    journey_id: Mapped[int]
    version_id: Mapped[int]
    contact_id: Mapped[int]
    entry_key: Mapped[str] = mapped_column(server_default=text("''"))
    status: Mapped[str]
    phase: Mapped[str | None]
    step_id: Mapped[str | None]
    visit: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    visits: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    steps_taken: Mapped[int] = mapped_column(server_default=text("0"))
    wake_at: Mapped[dt.datetime | None]
    deadline: Mapped[dt.datetime | None]
    arrived_at: Mapped[dt.datetime | None]
    entered_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    reason: Mapped[str | None]
    held_out: Mapped[bool] = mapped_column(server_default=text("false"))
    first_entry: Mapped[bool] = mapped_column(server_default=text("true"))  # of this contact into this journey
    arms: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    trigger_occurred_at: Mapped[dt.datetime]
    trigger_received_at: Mapped[dt.datetime]
    trigger_message_id: Mapped[str] = mapped_column(Text(collation="C"), server_default=text("''"))
    trigger_event: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    goal_until: Mapped[dt.datetime | None]
    goal_at: Mapped[dt.datetime | None]


class EntryInbox(Base):
    """Who is to enter a journey by something else than an event, from `available_at` on.

    `message_id` tells what let the contact in: '' for a member of a segment whom a publish let in, else a step, a call,
    a schedule or a date. It becomes that of the entry's trigger, and `properties` its event. A row goes in the commit
    that enters its contact. `error` says why it was set aside.
    """

    __tablename__ = "entry_inbox"
    __table_args__ = (
        UniqueConstraint("journey_id", "contact_id", "message_id"),
        Index("entry_inbox_due_idx", "journey_id", "available_at", "id", postgresql_where=text("error is null")),
    )

    id: Mapped[Id]
    journey_id: Mapped[int]
    contact_id: Mapped[int]
    message_id: Mapped[str] = mapped_column(Text(collation="C"), server_default=text("''"))
    properties: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    available_at: Mapped[dt.datetime] = mapped_column(server_default=text("to_timestamp(0)"))
    error: Mapped[str | None]


class SplitWinner(Base):
    """A split of a version that chooses a winner: when somebody first came by, and once `decided_at`, the arm that
    everybody takes from then on; none if there was nothing to choose by."""

    __tablename__ = "split_winners"

    version_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step_id: Mapped[str] = mapped_column(primary_key=True)
    first_at: Mapped[dt.datetime]
    decided_at: Mapped[dt.datetime | None]
    arm: Mapped[str | None]


step_log_id = Sequence("step_log_id_seq", metadata=Base.metadata)


class StepLog(Base):
    """What happened to an enrolment at a step, append-only; partitioned by month of `at`.

    outcome: entered, held_out, passed, waiting, met, timed_out, branched, split, queued, settled, fell_back, called,
    notified, held, skipped, capped, repeated, carried (from another version), exited, converted, completed, failed,
    stopped; refused: an entry that it would have started.
    """

    __tablename__ = "step_log"
    __table_args__ = (
        Index("step_log_enrolment_idx", "enrolment_id"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    id: Mapped[int] = mapped_column(step_log_id, server_default=step_log_id.next_value(), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    enrolment_id: Mapped[int]
    contact_id: Mapped[int]
    version_id: Mapped[int]
    step_id: Mapped[str]
    visit: Mapped[int] = mapped_column(SmallInteger)
    outcome: Mapped[str]
    detail: Mapped[dict[str, Any] | None]
