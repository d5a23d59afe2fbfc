"""How fast messages may go."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Float, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base


class Rate(Base):
    """The pace of one recipient domain, or of a relay under the name that `cairn email` prints; all senders share it.

    `per_second` is what somebody set; NULL for a domain that is only slowed down. `free_at` moves on with each message
    that goes, `tail_at` with each that is put off. After complaints of the domain the pace is halved `slow` times, from
    `measured` where none is set; that wears off from `slowed_at` on.
    """

    __tablename__ = "rates"

    name: Mapped[str] = mapped_column(primary_key=True)
    per_second: Mapped[float | None] = mapped_column(Float)
    free_at: Mapped[dt.datetime | None]
    tail_at: Mapped[dt.datetime | None]
    slow: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    measured: Mapped[float | None] = mapped_column(Float)
    slowed_at: Mapped[dt.datetime | None]
