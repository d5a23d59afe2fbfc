"""Named points of the product at which a worker stops and asks whether to go on. Nobody has to answer: it is killed.

Each stop stands before or after a call of the product, or at a commit. The product's own code is unchanged.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from engine import segments
from engine.campaigns import feed, progress
from engine.channels.journal import Journal
from engine.channels.smtp.dialogue import Dialogue
from engine.db import Database
from engine.messages import reaper, turn
from engine.receipts import settle
from engine.tracking import process
from journeys import gate
from journeys.runtime import advance, apply, match
from workers import lease


class Stop(NamedTuple):
    """Before (or after) each call of `owner.name`."""

    owner: Any
    name: str
    after: bool = False


CALLS = {
    "events claimed": Stop(match, "_lock"),
    "contacts locked": Stop(segments, "refresh_held"),
    "changes claimed": Stop(match, "_apply_changes"),
    "waits met": Stop(apply, "write"),
    "leaving": Stop(apply, "exits"),
    "enrolling": Stop(apply, "enrol"),
    "entries to be claimed": Stop(advance, "_claim"),
    "entries claimed": Stop(advance, "run"),
    "moves decided": Stop(advance, "write"),
    "messages to be claimed": Stop(turn, "claim"),
    "exit looked for": Stop(gate, "exits"),
    "messages marked": Stop(turn, "claim", after=True),
    "composed": Stop(turn.Composer, "outgoing"),
    "rendering": Stop(turn.Composer, "_render"),
    "before DATA": Stop(Dialogue, "_data"),
    "try journalled": Stop(Dialogue, "transfer"),
    "after DATA": Stop(Dialogue, "transfer", after=True),
    "after 250": Stop(Journal, "note_reply"),
    "journal appended": Stop(Journal, "append", after=True),
    "results at hand": Stop(turn, "write_results"),
    "results written": Stop(turn.status, "write"),
    "dead journal locked": Stop(reaper, "settle"),
    "dead messages locked": Stop(reaper, "write_results"),
    "receipts claimed": Stop(settle, "lock"),
    "receipts moved": Stop(settle.states, "write", after=True),
    "hits judged": Stop(process.facts, "write"),
    "audience to be frozen": Stop(progress, "freeze"),
    "audience frozen": Stop(progress, "freeze", after=True),
    "batch to be queued": Stop(feed, "_queue"),
    "batch queued": Stop(feed, "_queue", after=True),
    "slot to be taken": Stop(lease, "take_slot"),
    "slot taken": Stop(lease, "take_slot", after=True),
}
LOCKING, BEFORE_COMMIT, AFTER_COMMIT = "about to lock", "before commit", "after commit"
LOCKS = re.compile(r"for (update|no key update|share)\b")
COMMITS = (LOCKING, BEFORE_COMMIT, AFTER_COMMIT)
OF_JOB = {
    "match": (*("events claimed", "contacts locked", "waits met", "leaving", "enrolling"), BEFORE_COMMIT, AFTER_COMMIT),
    "refresh": ("changes claimed", "waits met", "leaving", "enrolling", BEFORE_COMMIT, AFTER_COMMIT),
    "advance": ("entries to be claimed", "entries claimed", "moves decided", BEFORE_COMMIT, AFTER_COMMIT),
    "send": (
        *("messages to be claimed", "exit looked for", "messages marked", "composed", "rendering", "before DATA"),
        *("try journalled", "after DATA", "after 250", "journal appended", "results at hand", "results written"),
        *COMMITS,
    ),
    "hits": ("hits judged", *COMMITS),
    "receipts": ("receipts claimed", "receipts moved", *COMMITS),
    "sweep": ("dead journal locked", "dead messages locked", *COMMITS),
    "campaigns": (
        *("audience to be frozen", "audience frozen", "batch to be queued", "batch queued"),
        *(BEFORE_COMMIT, AFTER_COMMIT),
    ),
    "schedule": ("slot to be taken", "slot taken", *COMMITS),
}
"""Where each job may be stopped."""


class Stops:
    """Stands between the product and its points. One order at a time: the `nth` arrival at one point.

    `channel` leads to who gives the orders.
    """

    channel: Connection

    def __init__(self) -> None:
        self.point, self.nth = "", 0
        for name, stop in CALLS.items():
            setattr(stop.owner, stop.name, self._around(name, getattr(stop.owner, stop.name), stop.after))
        event.listen(Engine, "commit", lambda _: self.arrive(BEFORE_COMMIT))
        event.listen(Engine, "before_cursor_execute", self._execute)
        Database.transaction = self._commit(Database.transaction)  # type: ignore[method-assign]

    def order(self, point: str, nth: int) -> None:
        """Stop when `point` is reached for the `nth` time from now; '' is nowhere."""
        self.point, self.nth = point, nth

    def arrive(self, name: str) -> None:
        """Stop here if that was ordered, until told to go on."""
        if name != self.point:
            return
        self.nth -= 1
        if self.nth == 0:
            self.point = ""
            self.channel.send(("at", name))
            self.channel.recv()

    def _around(self, name: str, function: Any, after: bool) -> Any:
        @functools.wraps(function)
        def wrapped(*arguments: Any, **options: Any) -> Any:
            if not after:
                self.arrive(name)
            result = function(*arguments, **options)
            if after:
                self.arrive(name)
            return result

        return wrapped

    def _execute(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if LOCKS.search(statement):
            self.arrive(LOCKING)

    def _commit(self, transaction: Any) -> Any:
        @contextmanager
        def wrapped(database: Database) -> Iterator[Session]:
            with transaction(database) as session:
                yield session
            self.arrive(AFTER_COMMIT)

        return wrapped
