"""One transaction of a request, run again when it lost a race."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from engine.db import Database
from webapp.dbtrouble import Trouble, diagnose
from webapp.groupcommit import ATTEMPTS, Unavailable

Result = TypeVar("Result")


def persist(database: Database, work: Callable[[Session], Result]) -> Result:
    """What `work` returns, committed. Raises Unavailable if the database is away or the races do not end."""
    for _ in range(ATTEMPTS):
        try:
            with database.transaction() as session:
                return work(session)
        except Exception as error:
            trouble = diagnose(error)
            if trouble is Trouble.AWAY:
                raise Unavailable("The database is away.") from error
            if trouble is not Trouble.RACE:
                raise
    raise Unavailable("Others write the same contact all the time.")
