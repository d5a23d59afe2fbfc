"""Where tracked links lead: looked up from what was stored with the content, never taken from the request."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.signing import Reference
from engine.urls import origin_us

MessageKey = tuple[int, dt.datetime]
"""messages.id and messages.origin_at."""

UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class LinkedMessage:
    """What a click needs of its message; neither changes once the message is rendered.

    `links` holds the destinations of this message's dynamic links by position, as text.
    """

    content_version_id: int
    links: Mapping[str, str]


def messages(session: Session, keys: Iterable[MessageKey]) -> dict[MessageKey, LinkedMessage]:
    """The rendered messages among `keys`, by one lookup on the primary key."""
    wanted = sorted(set(keys))
    rows = session.execute(
        text(
            "select m.id, m.origin_at, m.content_version_id, m.links "
            "from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[])) as wanted(id, origin_at) "
            "join messages m on m.id = wanted.id and m.origin_at = wanted.origin_at "
            "where m.content_version_id is not null"
        ),
        {"ids": [key[0] for key in wanted], "origins": [key[1] for key in wanted]},
    )
    return {(id_, origin): LinkedMessage(version, links or {}) for id_, origin, version, links in rows}


def named(session: Session, message_id: int, position: int) -> Reference | None:
    """What a link in a text names by its message's id alone; None once the message is gone."""
    origin_at = session.execute(text("select origin_at from messages where id = :id"), {"id": message_id}).scalar()
    return None if origin_at is None else Reference(message_id, origin_us(origin_at), position)


def of_versions(session: Session, version_ids: Iterable[int | None]) -> dict[int, dict[int, str]]:
    """Destinations by content version and position; dynamic links are left out, the message knows them."""
    ids = sorted({version_id for version_id in version_ids if version_id is not None})
    found: dict[int, dict[int, str]] = {version_id: {} for version_id in ids}
    if not ids:
        return found
    rows = session.execute(
        text("select content_version_id, position, url from content_links where content_version_id = any(:ids) "
             "and not dynamic"),
        {"ids": ids},
    )  # fmt: skip
    for version_id, position, url in rows:
        found[version_id][position] = url
    return found


def location(url: str) -> str | None:
    """The value of a Location header for a stored destination (RFC 3986), or None when it must not be followed.

    Only absolute http and https addresses are: a template may have put anything into a dynamic link.
    """
    candidate = url.strip()
    if UNSAFE.search(candidate):
        return None
    try:
        parts = urlsplit(candidate)
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        return None
    return quote(candidate, safe="%:/?#[]@!$&'()*+,;=~")
