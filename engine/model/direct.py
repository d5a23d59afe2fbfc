"""Messages that a program sends to one contact."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base


class DirectSend(Base):
    """A call that sent one message: `key` makes it one, `event` is what the content reads as `event.`.

    `fingerprint` is the SHA-256 of what the call asked for; calls of older versions, and of who was erased, have none.

    `token` is the message's own. Without an index the ledger could not be asked for it.
    """

    __tablename__ = "direct_sends"
    __table_args__ = (Index("direct_sends_filled_idx", "origin_at", postgresql_where=text("event <> '{}'::jsonb")),)

    message_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    origin_at: Mapped[dt.datetime]
    key: Mapped[str] = mapped_column(unique=True)
    token: Mapped[str] = mapped_column(unique=True)
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    event: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
