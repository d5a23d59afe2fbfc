"""Forms by which people sign up."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt


class Form(Base):
    """A sign-up form. `fields` are the values of `engine.tracking.form_fields.Field`, besides the address.

    `channel` is what it subscribes to: email asks for an address, sms for a telephone number, both for both. With
    `choose_topics` people tick those of `topics` that they want. `redirect` is the page that they see afterwards.
    `wording` is the slug of what people agree to; its newest version is shown. `origins` are sites that may embed it.
    """

    __tablename__ = "forms"

    slug: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    intro: Mapped[str] = mapped_column(server_default=text("''"))
    thanks: Mapped[str] = mapped_column(server_default=text("''"))
    fields: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    topics: Mapped[list[str]] = mapped_column(server_default=text("'{}'::text[]"))
    lists: Mapped[list[str]] = mapped_column(server_default=text("'{}'::text[]"))
    origins: Mapped[list[str]] = mapped_column(server_default=text("'{}'::text[]"))
    wording: Mapped[str | None]
    choose_topics: Mapped[bool] = mapped_column(server_default=text("false"))
    redirect: Mapped[str] = mapped_column(server_default=text("''"))
    channel: Mapped[str] = mapped_column(server_default=text("'email'"))
    double_opt_in: Mapped[bool] = mapped_column(server_default=text("true"))
    archived_at: Mapped[dt.datetime | None]
    created_at: Mapped[CreatedAt]
