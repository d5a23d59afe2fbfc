"""Endpoints of other programs, and what is to be delivered to them or to colleagues."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt, Id


class Webhook(Base):
    """An endpoint by its slug. `secrets` are sealed (`engine.webhooks.secrets`), the newest first.

    `failures` counts what went wrong in a row; until `retry_at` it is left alone, and while it is `gone` (it answered
    410). `error` says why.
    """

    __tablename__ = "webhooks"

    slug: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    secrets: Mapped[bytes] = mapped_column(LargeBinary)
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    failing_since: Mapped[dt.datetime | None]
    retry_at: Mapped[dt.datetime | None]
    gone: Mapped[bool] = mapped_column(server_default=text("false"))
    error: Mapped[str | None]
    created_at: Mapped[CreatedAt]


class Delivery(Base):
    """What a step gives to an endpoint (`endpoint` is its slug) or mails to a colleague (`endpoint` '', `address`).

    Written in the commit that moves the entry. state: pending -> delivered | failed; for mail pending -> sending ->
    delivered | pending | failed | unknown. `token` is the id by which the receiver knows a repetition. `template` is
    rendered with `payload` when it is delivered; `store` names the attribute that takes the response.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("enrolment_id", "step_id", "visit"),
        Index("deliveries_due_idx", "endpoint", "next_at", postgresql_where=text("state in ('pending', 'sending')")),
        Index("deliveries_failed_idx", "enrolment_id", "step_id", postgresql_where=text("state = 'failed'")),
        Index("deliveries_ended_idx", "ended_at", postgresql_where=text("ended_at is not null")),
    )

    id: Mapped[Id]
    token: Mapped[str] = mapped_column(server_default=text("replace(gen_random_uuid()::text, '-', '')"))
    enrolment_id: Mapped[int | None]  # none for what Cairn itself tells colleagues
    step_id: Mapped[str]
    visit: Mapped[int] = mapped_column(SmallInteger)
    endpoint: Mapped[str]
    address: Mapped[str | None]
    template: Mapped[str | None]
    payload: Mapped[dict[str, Any]]
    store: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=text("'pending'"))
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    next_at: Mapped[dt.datetime]
    status: Mapped[int | None]  # of HTTP, of the last try
    error: Mapped[str | None]
    created_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
