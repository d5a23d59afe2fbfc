"""The engine's work, a batch a transaction, until nothing is due or time is up."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

import psycopg
import structlog
from psycopg.errors import DeadlockDetected
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from engine import clock, segments
from engine.db import Database, cause_of, driver, is_outage
from engine.receipts import mail
from engine.receipts import settle as settling
from engine.reports import rollup
from engine.signing import signer
from engine.tracking import rejudging
from engine.tracking.process import process
from journeys.runtime import admit as admitting
from journeys.runtime import advance as advancing
from journeys.runtime import catalogue as catalogues
from journeys.runtime import fallen, states, timed, turn
from journeys.runtime import match as matching
from journeys.runtime.catalogue import Catalogue
from journeys.runtime.leave import Ending, end

logger = structlog.get_logger()

SECONDS = 10.0
CATALOGUE_SECONDS = 1.0
PARTS = 8
Batch = Callable[[Session, Catalogue, int, list[int]], int]
Aside = Callable[[Session, Catalogue, int, dt.datetime, str], None]

EVENT_ASIDE = text("update event_inbox set available_at = 'infinity', error = :error where id = :id")
ADMISSION_ASIDE = text("update entry_inbox set error = :error where id = :id")
STILL_DUE = text("select 1 from enrolments where id = :id and status = 'active' and wake_at <= :now for update")
"""Another worker may have moved the entry since, or an event may have ended it."""
ENTRY_ASIDE = text("""
update enrolments set status = 'failed', reason = :error, phase = null, wake_at = null, ended_at = :now where id = :id
""")
CHANGE_ASIDE = text("delete from change_inbox where id = :id")
"""A change only says where to look again, so the log is enough to keep of it."""


def match(database: Database, seconds: float = SECONDS) -> int:
    """Apply the inbox of events to journeys and segments. Returns how many events were taken."""

    def aside(session: Session, _: Catalogue, id_: int, __: dt.datetime, error: str) -> None:
        session.execute(EVENT_ASIDE, {"id": id_, "error": error})

    def batch(session: Session, catalogue: Catalogue, limit: int, taken: list[int]) -> int:
        return matching.match_events(session, catalogue, clock.now, limit, taken)

    return _repeat(database, batch, matching.BATCH, aside, seconds)


def refresh(database: Database, seconds: float = SECONDS) -> int:
    """Refresh segments that asked for it, look at memberships that expire, and apply changes of contacts.

    Returns how many of the latter two were taken.
    """

    def aside(session: Session, _: Catalogue, id_: int, __: dt.datetime, ___: str) -> None:
        session.execute(CHANGE_ASIDE, {"id": id_})

    def batch(session: Session, catalogue: Catalogue, limit: int, taken: list[int]) -> int:
        return matching.match_changes(session, catalogue, clock.now, limit, taken)

    until = time.monotonic() + seconds
    refreshed = True
    while refreshed and time.monotonic() < until:
        with database.transaction() as session:
            refreshed = segments.refresh_stale(session, clock.now) is not None
    return _expire(database, seconds) + _repeat(database, batch, matching.BATCH, aside, seconds)


def advance(database: Database, seconds: float = SECONDS) -> int:
    """Let in who is to enter, move everybody who is due, and end who is in a stopped journey.

    Returns how many entries, moves and ends were tried.
    """
    _take_slots(database)
    with database.transaction() as session:
        journeys = admitting.due(session, clock.now(session))
    entries = sum(_admit(database, journey_id, seconds) for journey_id in journeys)
    with database.transaction() as session:
        versions = advancing.due(session, clock.now(session))
    moves = sum(_advance(database, version_id, seconds) for version_id in versions)
    return entries + moves + end_stopped(database, seconds)


def _take_slots(database: Database) -> None:
    """Write down who enters by a schedule whose slot has come. One that fails hinders nobody, and is tried again."""
    with database.transaction() as session:
        journeys = timed.due(session, clock.now(session))
    for journey_id in journeys:
        try:
            with database.transaction() as session:
                timed.let_in(session, catalogues.load(session), journey_id, clock.now(session))
        except Exception as error:
            if is_outage(error):
                raise
            logger.exception("schedule_failed", journey=journey_id)


def end_stopped(database: Database, seconds: float = SECONDS) -> int:
    """End the entries of stopped journeys. Returns how many."""
    with database.transaction() as session:
        versions = states.stopping(session)
    return sum(_end_stopped(database, version_id, seconds) for version_id in versions)


def hits(database: Database, seconds: float = SECONDS) -> int:
    """Classify hits of messages that are quiet. Returns how many messages were looked at."""
    total, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with database.transaction() as session, rollup.together(session):
                done = process(session, clock.now(session))["messages"]
        except (DBAPIError, psycopg.Error) as error:
            if _is_deadlock(error):
                continue
            raise
        if not done:
            break
        total += done
    return total


def rejudge(database: Database, seconds: float = SECONDS) -> None:
    """Judge stored hits again, if somebody asked for it; a transaction a batch, so that it goes on after a stop."""
    until = time.monotonic() + seconds
    more = True
    while more and time.monotonic() < until:
        with database.transaction() as session, rollup.together(session):
            more = rejudging.step(session, clock.now(session))


def receipts(database: Database, seconds: float = SECONDS) -> int:
    """Mail that came back is read, and what came back about messages takes effect. Returns how much was looked at."""

    def read(session: Session, _: Catalogue, limit: int, taken: list[int]) -> int:
        return mail.process(session, clock.now(session), signer(), limit, taken)

    def unread(session: Session, _: Catalogue, id_: int, __: dt.datetime, error: str) -> None:
        mail.set_aside(session, id_, error)

    def batch(session: Session, _: Catalogue, limit: int, taken: list[int]) -> int:
        now = clock.now(session)
        settled = settling.settle(session, now, signer(), limit, taken)
        fallen.fall_back(session, settled.fallen, now)
        return settled.receipts

    def aside(session: Session, _: Catalogue, id_: int, __: dt.datetime, error: str) -> None:
        settling.set_aside(session, id_, error)

    return _repeat(database, read, mail.BATCH, unread, seconds) + _repeat(
        database, batch, settling.BATCH, aside, seconds
    )


def _expire(database: Database, seconds: float) -> int:
    """With the turn of matching: nobody else then changes memberships of some contacts, or begins to listen."""

    def batch(session: Session, catalogue: Catalogue, limit: int, taken: list[int]) -> int:
        if not turn.is_mine(session):
            return 0
        return segments.expire(session, catalogue.segments, catalogue.schema, clock.now, limit, taken)

    def aside(session: Session, _: Catalogue, id_: int, now: dt.datetime, __: str) -> None:
        segments.forget(session, id_, now)

    return _repeat(database, batch, segments.BATCH, aside, seconds)


def _admit(database: Database, journey_id: int, seconds: float) -> int:
    def batch(session: Session, catalogue: Catalogue, limit: int, taken: list[int]) -> int:
        if not turn.is_mine(session):
            return 0
        return admitting.admit(session, catalogue, journey_id, clock.now(session), limit, taken)

    def aside(session: Session, _: Catalogue, id_: int, __: dt.datetime, error: str) -> None:
        session.execute(ADMISSION_ASIDE, {"id": id_, "error": error})

    return _repeat(database, batch, admitting.BATCH, aside, seconds)


def _advance(database: Database, version_id: int, seconds: float) -> int:
    def batch(session: Session, catalogue: Catalogue, limit: int, taken: list[int]) -> int:
        version, now = catalogue.version(session, version_id), clock.now(session)
        return advancing.advance(session, catalogue, version, now, limit, taken)

    def aside(session: Session, catalogue: Catalogue, id_: int, now: dt.datetime, error: str) -> None:
        if session.execute(STILL_DUE, {"id": id_, "now": now}).first() is None:
            return
        try:
            with session.begin_nested():
                end(session, [Ending(catalogue.version(session, version_id), [id_], "failed", error)], now)
        except (DBAPIError, psycopg.Error):  # what is wrong with the entry may hinder its last log line too
            session.execute(ENTRY_ASIDE, {"id": id_, "now": now, "error": error})

    return _repeat(database, batch, advancing.BATCH, aside, seconds)


def _end_stopped(database: Database, version_id: int, seconds: float) -> int:
    def batch(session: Session, catalogue: Catalogue, limit: int, taken: list[int]) -> int:
        return states.end_stopped(session, catalogue, version_id, clock.now(session), limit, taken)

    def aside(session: Session, _: Catalogue, id_: int, now: dt.datetime, error: str) -> None:
        session.execute(ENTRY_ASIDE, {"id": id_, "now": now, "error": error})

    return _repeat(database, batch, states.BATCH, aside, seconds)


def _repeat(database: Database, batch: Batch, limit: int, aside: Aside, seconds: float) -> int:
    """Batches until one is not full or time is up.

    A batch that fails is tried again in ever smaller parts, so that only what is guilty is set aside, with its error,
    and the rest goes on; what went well makes the parts larger again. Each part is a transaction of its own that takes
    its work and does it, so whatever ends it leaves the work where it was.
    A batch that would hold the turn for too long is taken in parts in the same way.
    """
    total, size, until = 0, limit, time.monotonic() + seconds
    catalogue, fresh_until = None, 0.0
    while time.monotonic() < until:
        taken: list[int] = []
        try:
            with database.transaction() as session:
                driver(session).execute(turn.GIVE_WAY)
                if catalogue is None or time.monotonic() > fresh_until:
                    catalogue, fresh_until = catalogues.load(session), time.monotonic() + CATALOGUE_SECONDS
                with rollup.together(session):
                    done = batch(session, catalogue, size, taken)
        except Exception as error:
            if _is_deadlock(error):
                continue
            if is_outage(error) or not taken:
                raise
            if size == 1:
                _set_aside(database, aside, taken[0], error)
            size = max(1, size // PARTS)
            continue
        total += done
        if done < size:
            break
        size = min(limit, size * PARTS)
    return total


def _is_deadlock(error: Exception) -> bool:
    """PostgreSQL chose this transaction to give way; nothing of it happened, so it is simply done again."""
    return isinstance(cause_of(error), DeadlockDetected)


def _set_aside(database: Database, aside: Aside, id_: int, error: Exception) -> None:
    reason = f"{type(error).__name__}: {error}"[:500]
    with database.transaction() as session:
        aside(session, catalogues.load(session), id_, clock.now(session), reason)
    logger.error("set_aside", id=id_, error=reason)
