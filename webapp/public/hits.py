"""Writers of hits, run inside the shared commit: many at once, never committing."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence

from sqlalchemy.orm import Session

from engine.rendering.honeypot import POSITION as HONEYPOT
from engine.tracking import hits, links
from engine.tracking.hits import Hit
from engine.tracking.links import LinkedMessage, MessageKey
from webapp.groupcommit import Moment

REMEMBERED = 50_000


class Destinations:
    """Where links lead, kept in memory, for one thread at a time.

    Neither a rendered message's version nor a version's links ever change, so nothing has to be forgotten but for room.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._alone = threading.Lock()
        self._messages: dict[MessageKey, LinkedMessage] = {}
        self._versions: dict[int, dict[int, str]] = {}

    def look_up(self, session: Session, clicks: Sequence[Hit]) -> list[str | None]:
        """The destination of each click, None where there is none; at most two queries for those not remembered."""
        with self._alone:
            return self._look_up(session, clicks)

    def _look_up(self, session: Session, clicks: Sequence[Hit]) -> list[str | None]:
        keys = {(click.message_id, click.origin_at) for click in clicks}
        if missing := keys - self._messages.keys():
            self._messages.update(links.messages(session, missing))
        known = [self._messages[key] for key in keys if key in self._messages]
        if versions := {message.content_version_id for message in known} - self._versions.keys():
            self._versions.update(links.of_versions(session, versions))
        found = [self._destination(click) for click in clicks]
        self._forget(clicks, found)
        return found

    def _destination(self, click: Hit) -> str | None:
        message = self._messages.get((click.message_id, click.origin_at))
        if message is None or click.position is None:
            return None
        own = message.links.get(str(click.position))
        url = own if own is not None else self._versions[message.content_version_id].get(click.position)
        return links.location(url) if url else None

    def _forget(self, clicks: Sequence[Hit], found: Sequence[str | None]) -> None:
        """Drop messages whose dynamic links may not be written yet, and for room the oldest, a tenth at a time."""
        for click, url in zip(clicks, found, strict=True):
            if url is None:
                self._messages.pop((click.message_id, click.origin_at), None)
        if len(self._messages) > self._remembered:
            for key in list(self._messages)[: self._remembered // 10 + 1]:
                del self._messages[key]
        if len(self._versions) > self._remembered // 10:
            self._versions.clear()


def write_opens(session: Session, opens: Sequence[Hit], moment: Moment) -> list[None]:
    """Store pixels."""
    hits.store(session, _timed(opens, moment))
    return [None] * len(opens)


class ClickWriter:
    """Stores clicks and answers where they lead; what leads nowhere is not stored, except the honeypot's."""

    def __init__(self) -> None:
        self._destinations = Destinations()

    def __call__(self, session: Session, clicks: Sequence[Hit], moment: Moment) -> list[str | None]:
        found = self._destinations.look_up(session, clicks)
        kept = [
            click for click, url in zip(clicks, found, strict=True) if url is not None or click.position == HONEYPOT
        ]
        hits.store(session, _timed(kept, moment))
        return found


def _timed(given: Sequence[Hit], moment: Moment) -> list[Hit]:
    """On a simulated clock a hit happens when it is written; else when it came."""
    if not moment.virtual:
        return list(given)
    return [dataclasses.replace(hit, at=moment.now) for hit in given]
