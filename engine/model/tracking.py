"""Raw hits of pixels and links."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Index, Sequence, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base

hit_id = Sequence("hits_id_seq", metadata=Base.metadata)


class Hit(Base):
    """A request for a pixel or a link, stored as it came; `classification` is added later and may be made again.

    kind: open, click. classification: human, proxy_open, prefetch, scanner, unknown; null until looked at.
    """

    __tablename__ = "hits"
    __table_args__ = (
        Index("hits_message_idx", "message_id"),
        Index("hits_pending_idx", "at", postgresql_where=text("classification is null")),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    id: Mapped[int] = mapped_column(hit_id, server_default=hit_id.next_value(), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    kind: Mapped[str]
    message_id: Mapped[int]
    origin_at: Mapped[dt.datetime]
    position: Mapped[int | None] = mapped_column(SmallInteger)
    method: Mapped[str]
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    headers: Mapped[dict[str, Any] | None]
    classification: Mapped[str | None]
    rule: Mapped[str | None]  # of `engine.tracking.classify.RULES`
    classifier_version: Mapped[int | None] = mapped_column(SmallInteger)
