"""Snippets: pieces of text that contents have in common."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.model.base import Base, CreatedAt, Id


class Snippet(Base):
    """What a content names; `current_version_id` is what is compiled into contents that are saved."""

    __tablename__ = "snippets"

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]  # email; sms for plain text, which email may hold too
    current_version_id: Mapped[int | None]
    created_at: Mapped[CreatedAt]


class SnippetVersion(Base):
    """The author's files by language, the default's under ""."""

    __tablename__ = "snippet_versions"
    __table_args__ = (UniqueConstraint("snippet_id", "number"),)

    id: Mapped[Id]
    snippet_id: Mapped[int] = mapped_column(ForeignKey("snippets.id", ondelete="CASCADE"))
    number: Mapped[int]
    sources: Mapped[dict[str, Any]]
    created_at: Mapped[CreatedAt]
