"""Contents and their frozen versions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt, Id, PublicId


class Content(Base):
    """What a send step names; `current_version_id` is what new messages use, in the default language.

    `variants` holds the current version of each language by its tag, the default's too; null for one language only.
    `sender` is the identity that it names.
    """

    __tablename__ = "contents"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    slug: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]  # email, sms
    current_version_id: Mapped[int | None]
    variants: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[CreatedAt]
    sender: Mapped[str | None]


class ContentVersion(Base):
    """A saved text, compiled. `compiled` holds what the renderer needs; `source` is the author's file as written.

    The languages of a content are rows of one number; `language` is empty where the author does not say it.
    `snippets` are those in it, also in each other, with the numbers of their versions.
    """

    __tablename__ = "content_versions"
    __table_args__ = (UniqueConstraint("content_id", "number", "language"),)

    id: Mapped[Id]
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"))
    number: Mapped[int]
    language: Mapped[str] = mapped_column(server_default=text("''"))
    source: Mapped[str]
    compiled: Mapped[dict[str, Any]]
    snippets: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    warnings: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    created_at: Mapped[CreatedAt]


class ContentLink(Base):
    """A link of a content version, looked up by position when a click arrives. `dynamic` links are templates."""

    __tablename__ = "content_links"

    content_version_id: Mapped[int] = mapped_column(
        ForeignKey("content_versions.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    url: Mapped[str]
    dynamic: Mapped[bool] = mapped_column(server_default=text("false"))
