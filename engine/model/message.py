"""The message ledger and the local mailbox."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Index, LargeBinary, Sequence, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, Id, PublicId

message_id = Sequence("messages_id_seq", metadata=Base.metadata)


class Message(Base):
    """One message to one contact: the ledger.

    state: queued -> sending -> accepted -> delivered -> bounced | complained; sending -> queued | failed | unknown;
    queued -> suppressed | expired | cancelled; unknown -> accepted | bounced | failed. `reason` says why not.
    `origin_at` is the creation of the entry or campaign and never changes; it is the partition key.
    `token` names the message outside (Message-ID, mailbox). `links` holds this contact's destinations of dynamic links
    by position. `journal` names the sender's journal that holds its tries. Costs are in the workspace's currency.

    What the result of a try changes (`state`, `accepted_at`) is in no index, nor in the condition of one: so it stays
    on its page and writes into no index (a HOT update). Whoever looks for queued messages therefore names the condition
    of `messages_queue_idx` beside the state; `MessageClaim` finds those that are `sending`.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("origin_at", "enrolment_id", "step_id", "visit"),
        Index(  # partial, since every change of state writes an entry into every index of a row
            "messages_campaign_key",
            *("origin_at", "campaign_id", "contact_id"),
            unique=True,
            postgresql_where=text("campaign_id is not null"),
        ),
        Index(
            "messages_queue_idx",
            *("channel", "send_after", "id"),
            postgresql_where=text("claimed_at is null and ended_at is null"),
        ),
        Index("messages_contact_idx", "contact_id"),
        {"postgresql_partition_by": "RANGE (origin_at)"},
    )

    id: Mapped[int] = mapped_column(message_id, server_default=message_id.next_value(), primary_key=True)
    origin_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    enrolment_id: Mapped[int | None]
    step_id: Mapped[str | None]
    visit: Mapped[int | None] = mapped_column(SmallInteger)
    campaign_id: Mapped[int | None]
    contact_id: Mapped[int]
    journey_id: Mapped[int | None]
    version_id: Mapped[int | None]
    content_id: Mapped[int]
    content_version_id: Mapped[int | None]
    channel: Mapped[str]
    topic: Mapped[str | None]
    cap: Mapped[str | None]  # "3 per week", checked again inside the claim
    transactional: Mapped[bool] = mapped_column(server_default=text("false"))  # needs no consent
    fallback: Mapped[bool] = mapped_column(server_default=text("false"))  # its entry waits for its fate
    state: Mapped[str] = mapped_column(server_default=text("'queued'"))
    reason: Mapped[str | None]
    seen: Mapped[dict[str, Any] | None]  # of a message refused at the gate, what each of its questions saw
    token: Mapped[str] = mapped_column(server_default=text("replace(gen_random_uuid()::text, '-', '')"))
    recipient: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    journal: Mapped[str | None]
    reply: Mapped[str | None]
    links: Mapped[dict[str, Any] | None]
    cost: Mapped[Decimal | None]
    queued_at: Mapped[dt.datetime]
    send_after: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None]
    claimed_at: Mapped[dt.datetime | None]
    accepted_at: Mapped[dt.datetime | None]
    delivered_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    first_open_at: Mapped[dt.datetime | None]  # human or proxy
    first_click_at: Mapped[dt.datetime | None]  # human
    untracked: Mapped[bool | None]  # it left, or perhaps, with neither pixel nor tracked links
    sender: Mapped[str | None]  # the identity that its step, campaign or call names


class MessageClaim(Base):
    """The messages that one claim made `sending`; gone in the commit that writes their results."""

    __tablename__ = "message_claims"

    id: Mapped[Id]
    journal: Mapped[str | None]
    claimed_at: Mapped[dt.datetime] = mapped_column(index=True)
    ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    origins: Mapped[list[dt.datetime]] = mapped_column(ARRAY(DateTime(timezone=True)))


class LocalMessage(Base):
    """An email or SMS that this installation sent to itself: the local mailbox and phone."""

    __tablename__ = "local_messages"
    __table_args__ = (Index("local_messages_received_idx", "received_at"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    channel: Mapped[str]
    sender: Mapped[str]
    recipient: Mapped[str]
    subject: Mapped[str | None]
    message_token: Mapped[str | None] = mapped_column(index=True)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[dt.datetime]
