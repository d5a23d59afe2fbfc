"""Raw hits: each request for a pixel or a link is stored as it came, before anyone judges it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from engine import partitions
from engine.db import copy_rows

COLUMNS = "hits(at, kind, message_id, origin_at, position, method, ip, user_agent, headers)"
TYPES = ("timestamptz", "text", "int8", "timestamptz", "int2", "text", "text", "text", "jsonb")

KEPT_HEADERS = ("Purpose", "X-Purpose", "Sec-Purpose", "X-Moz", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "From", "Via")
"""Headers that tell machines from people; nothing else of a request is kept."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A request as it came. kind: open, click. `position` is the link's, None for the pixel."""

    at: dt.datetime
    kind: str
    message_id: int
    origin_at: dt.datetime
    position: int | None = None
    method: str = "GET"
    ip: str | None = None
    user_agent: str | None = None
    headers: Mapping[str, str] | None = None


def store(session: Session, hits: Sequence[Hit]) -> None:
    """Append the hits by COPY, making their month's partition if it is not there."""
    if not hits:
        return
    partitions.ensure(session, "hits", {hit.at for hit in hits})
    copy_rows(session, COLUMNS, TYPES, (_row(hit) for hit in hits))


def _row(hit: Hit) -> tuple[object, ...]:
    headers = Jsonb(dict(hit.headers)) if hit.headers else None
    return (
        hit.at, hit.kind, hit.message_id, hit.origin_at, hit.position, hit.method, hit.ip, hit.user_agent, headers,
    )  # fmt: skip
