"""Campaigns: a message to an audience that is frozen when the campaign starts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt, Id, PublicId

zero = text("0")


class Campaign(Base):
    """A campaign as its author wrote it, and how far it has come.

    state: draft -> scheduled -> sending <-> paused -> sent; draft, scheduled, sending and paused -> cancelled.
    `definition` is what `engine.campaigns.definition` reads. `origin_at` is the instant of the freeze, the partition
    key of its messages. `tail_at` is the `send_after` of the last message queued, from which the next one keeps its
    distance. `next_at` is when a worker has to look at the campaign; without one nothing is left to do.
    """

    __tablename__ = "campaigns"
    __table_args__ = (Index("campaigns_next_idx", "next_at", postgresql_where=text("next_at is not null")),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    channel: Mapped[str]
    definition: Mapped[dict[str, Any]]
    source: Mapped[str | None]  # the author's own file, with its comments; it reads as `definition`
    state: Mapped[str] = mapped_column(server_default=text("'draft'"))
    reason: Mapped[str | None]  # why it was paused, if not by a person
    start_at: Mapped[dt.datetime | None]
    origin_at: Mapped[dt.datetime | None]
    tail_at: Mapped[dt.datetime | None]
    next_at: Mapped[dt.datetime | None]
    checked: Mapped[dict[str, Any] | None]  # the contents as checked at the start, and which warnings were accepted
    resumed: Mapped[dict[str, Any] | None]  # when it was last resumed, and how much was sent by then
    winner: Mapped[str | None]
    winner_note: Mapped[dict[str, Any] | None]  # the comparison that chose it
    winner_at: Mapped[dt.datetime | None]
    goals_until: Mapped[dt.datetime | None]  # events received up to here were looked at for the goal
    audience_count: Mapped[int] = mapped_column(server_default=zero)
    message_count: Mapped[int] = mapped_column(server_default=zero)
    created_at: Mapped[CreatedAt]
    created_by: Mapped[str] = mapped_column(server_default=text("''"))
    changed_at: Mapped[CreatedAt]
    started_by: Mapped[str | None]
    ended_at: Mapped[dt.datetime | None]


class CampaignArm(Base):
    """A variant of a campaign, or its hold-back group, with what its contacts did: rollups of `campaign_contacts`.

    Who was to wait for the winner is counted with the arm `rest`, whichever variant they got.
    """

    __tablename__ = "campaign_arms"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    arm: Mapped[str] = mapped_column(primary_key=True)
    content_id: Mapped[int | None]
    contacts: Mapped[int] = mapped_column(server_default=zero)
    conversions: Mapped[int] = mapped_column(server_default=zero)
    value: Mapped[Decimal] = mapped_column(server_default=zero)
    value_squared: Mapped[Decimal] = mapped_column(server_default=zero)


class CampaignWave(Base):
    """Contacts of a campaign who get it from the same instant on; `cursor` is the last one whose message is queued."""

    __tablename__ = "campaign_waves"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    wave: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    test: Mapped[bool]  # of a test with a winner: sent before it is known
    at: Mapped[dt.datetime]
    zone: Mapped[str | None]
    cursor: Mapped[int] = mapped_column(server_default=zero)
    contacts: Mapped[int] = mapped_column(server_default=zero)
    done: Mapped[bool] = mapped_column(server_default=text("false"))


class CampaignContact(Base):
    """A contact in the frozen audience. Rows have no foreign keys, as there may be millions.

    The second index finds the campaigns of a contact; being of hashes it cannot tempt the planner to read a wave by it.
    """

    __tablename__ = "campaign_contacts"
    __table_args__ = (Index("campaign_contacts_contact_idx", "contact_id", postgresql_using="hash"),)

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wave: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    contact_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    arm: Mapped[str]  # a variant, `holdout`, or `rest`: who gets the winner
    converted_at: Mapped[dt.datetime | None]
    value: Mapped[Decimal | None]
