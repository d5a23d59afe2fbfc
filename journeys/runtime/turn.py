"""The turn of a workspace: whoever matches, lets people in or publishes is alone with that until the transaction ends.

It is taken before anything is locked. A worker that does not get it goes on with other work: who holds it looks again
until nothing is due, and the scheduler rings for what is left.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.db import driver

KEY = "hashtext(current_schema() || ' match')"
TAKE = f"select pg_advisory_xact_lock({KEY})"
TRY = f"select pg_try_advisory_xact_lock({KEY})"
GIVE_WAY = "set local idle_in_transaction_session_timeout = '60s'"
"""Who is stopped in the middle of its work (SIGSTOP, a frozen machine) must not hold its locks for ever."""


def take(session: Session) -> None:
    """Wait for the turn; for a person who publishes."""
    driver(session).execute(GIVE_WAY)
    driver(session).execute(TAKE)


def is_mine(session: Session) -> bool:
    """Take the turn if it is free, or held by this transaction already."""
    row = driver(session).execute(TRY).fetchone()
    return row is not None and bool(row[0])
