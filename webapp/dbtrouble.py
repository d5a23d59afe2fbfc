"""What a failed transaction means for those who wait for it."""

from __future__ import annotations

import enum

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

AWAY_CLASSES = ("08", "53", "57", "58")
"""SQLSTATE classes: connection, insufficient resources (disk full), operator intervention, system error."""

AWAY_STATES = ("25006",)  # read-only: a standby answers during a failover
RACES = ("40001", "40P01", "55P03")  # serialisation failure, deadlock, lock not available


class Trouble(enum.Enum):
    """AWAY: nothing can be written now. RACE: the same transaction may succeed again. GUILTY: the data is at fault."""

    AWAY = enum.auto()
    RACE = enum.auto()
    GUILTY = enum.auto()


def diagnose(error: BaseException) -> Trouble:
    """Which of the three it is; errors come bare from psycopg (COPY) or wrapped by SQLAlchemy."""
    if isinstance(error, PoolTimeout):
        return Trouble.AWAY
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return Trouble.AWAY
        return diagnose(error.orig) if error.orig is not None else Trouble.GUILTY
    if not isinstance(error, psycopg.Error):
        return Trouble.GUILTY
    return _by_state(error)


def _by_state(error: psycopg.Error) -> Trouble:
    state = error.sqlstate
    if state is None:
        return Trouble.AWAY if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) else Trouble.GUILTY
    if state in RACES:
        return Trouble.RACE
    return Trouble.AWAY if state[:2] in AWAY_CLASSES or state in AWAY_STATES else Trouble.GUILTY
