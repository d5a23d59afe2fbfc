"""One transaction of a page, with the time and the workspace that it shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import g
from sqlalchemy.orm import Session

from engine import clock, workspace
from engine.workspace import Workspace
from webapp.auth.people import database


@dataclass(frozen=True, slots=True)
class Work:
    """What a view works with. `now` is the clock that every process shares, virtual or real."""

    session: Session
    now: dt.datetime
    workspace: Workspace


@contextmanager
def work() -> Iterator[Work]:
    """Open the transaction; it commits at the end of the block. Formats of the template read `g`."""
    with database().transaction() as session:
        loaded = workspace.load(session)
        opened = Work(session, clock.now(session), loaded)
        g.now, g.zone, g.currency, g.workspace_name = opened.now, loaded.zone, loaded.currency, loaded.name
        yield opened
