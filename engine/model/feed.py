"""Product feeds and their products."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt, Id


class Feed(Base):
    """A list of products. One with a `url` is fetched `every` so many minutes, the others were given as a file.

    `fetched_at` is when what is kept was read, `error` why the last try brought nothing. `revision` is raised whenever
    products change. `next_at` is when somebody has to look at it.
    """

    __tablename__ = "feeds"
    __table_args__ = (Index("feeds_next_idx", "next_at"),)

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    url: Mapped[str | None]
    every: Mapped[int]
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    next_at: Mapped[dt.datetime]
    tried_at: Mapped[dt.datetime | None]
    fetched_at: Mapped[dt.datetime | None]
    error: Mapped[str | None]
    note: Mapped[str | None]
    revision: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[CreatedAt]


class Product(Base):
    """A product as templates read it (`fields`), at its place in the feed.

    `sold` counts the orders of late. One that the feed does not name any more is `gone_at`: it is shown to nobody, but
    messages that showed it can still be looked at.
    """

    __tablename__ = "products"

    feed_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    fields: Mapped[dict[str, Any]]
    sold: Mapped[int] = mapped_column(server_default=text("0"))
    gone_at: Mapped[dt.datetime | None]
