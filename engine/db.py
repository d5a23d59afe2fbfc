"""The store: one PostgreSQL database, one schema a workspace, one transaction at a time."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from typing import Any

import psycopg
from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from engine.errors import ConfigurationError

REST = 1.0  # seconds after which a connection may have been cut off
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")


class Database:
    """A workspace's tables. `workspace` is the schema's name; every transaction sees that schema only."""

    def __init__(self, url: str, *, workspace: str = "cairn_default", pool_size: int = 10) -> None:
        if not IDENTIFIER.match(workspace):
            raise ConfigurationError(
                f"“{workspace}” cannot be a workspace's name: use a-z, 0-9 and _, beginning with a letter."
            )
        self.url = url
        self.workspace = workspace
        self.engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            connect_args={"options": "-c timezone=UTC", "connect_timeout": 10},
        )
        event.listen(self.engine, "begin", self._choose_schema)

    def _choose_schema(self, connection: Any) -> None:
        """SET LOCAL, so that a pooled connection never carries a workspace over into another transaction."""
        connection.exec_driver_sql(f'SET LOCAL search_path TO "{self.workspace}"')

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction: commits at the end of the block, rolls back on any exception."""
        with Session(self.engine, expire_on_commit=False, autoflush=True) as session, session.begin():
            yield session

    def migrate(self) -> None:
        """Bring the workspace's schema to the newest revision; safe when several processes start at once."""
        from alembic import command  # only who migrates waits for its import
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(resources.files("engine") / "migrations"))
        try:
            with self.engine.begin() as connection:
                connection.execute(
                    text("select pg_advisory_xact_lock(hashtext(:name))"), {"name": f"migrate {self.workspace}"}
                )
                connection.exec_driver_sql(f'create schema if not exists "{self.workspace}"')
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except OperationalError as error:
            raise ConfigurationError(f"PostgreSQL cannot be reached: {error.orig}. Check DATABASE_URL.") from error

    def close(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()


class Line:
    """A connection of its own for one thread that commits all the time; a transaction costs a third of a pooled one's.

    It chose the schema when it was made, goes back to no pool, and is tried only after a second's rest.
    """

    def __init__(self, database: Database) -> None:
        self._engine = create_engine(
            make_url(database.url).set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            connect_args={
                "options": f"-c timezone=UTC -c search_path={database.workspace}",
                "connect_timeout": 10,
            },
        )
        self._open: Connection | None = None
        self._used = 0.0

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """As `Database.transaction`; by one thread at a time."""
        try:
            with Session(self._connection(), expire_on_commit=False) as session, session.begin():
                yield session
        except BaseException:
            if not self._works():
                self.close()
            raise
        self._used = time.monotonic()

    def close(self) -> None:
        """Close the connection; a later transaction makes another."""
        if self._open is not None:
            self._open.invalidate()
            self._open.close()
            self._open = None

    def _connection(self) -> Connection:
        if time.monotonic() - self._used > REST and not self._works():
            self.close()
        if self._open is None:
            self._open = self._engine.connect()
        return self._open

    def _works(self) -> bool:
        if self._open is None or self._open.closed or self._open.invalidated:
            return False
        bare = self._open.connection.driver_connection
        assert isinstance(bare, psycopg.Connection)
        try:
            bare.execute("")
            bare.rollback()
        except psycopg.Error:
            return False
        return True


def cause_of(error: Exception) -> BaseException:
    """The driver's error: SQLAlchemy wraps those of its own statements, COPY and hot statements raise them bare."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def is_outage(error: Exception) -> bool:
    """A database that is away is nobody's guilt: the next sweep tries again. Class 54 is a row that exceeds a limit,
    25P03 is said to a worker that was stopped for too long."""
    cause = cause_of(error)
    if isinstance(cause, psycopg.Error) and cause.sqlstate == "25P03":
        return True
    if isinstance(cause, psycopg.Error) and (cause.sqlstate or "").startswith("54"):
        return False
    return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError | OSError)


def driver(session: Session) -> psycopg.Connection[Any]:
    """The psycopg connection of the session's transaction, for COPY and pipelines."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection


def copy_rows(session: Session, target: str, types: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Binary COPY of `rows` into `target`, a table with its column list, e.g. `step_log(at, outcome)`.

    `types` are PostgreSQL type names in the same order; binary COPY converts nothing, so they must be the columns' own.
    """
    with driver(session).cursor() as cursor, cursor.copy(f"copy {target} from stdin (format binary)") as out:
        out.set_types(types)
        for row in rows:
            out.write_row(row)


def int_array(numbers: Iterable[int]) -> str:
    """`numbers` as PostgreSQL reads an array, for `%s::int8[]`: a text costs a seventh of what a list does."""
    return "{" + ",".join(map(str, numbers)) + "}"


def text_array(texts: Iterable[str]) -> str:
    """As `int_array`, for `%s::text[]`. Texts without quotes and backslashes, as most are, are joined as they are."""
    given = list(texts)
    joined = '","'.join(given)
    if "\\" in joined or joined.count('"') > 2 * (len(given) - 1):
        joined = '","'.join([text.replace("\\", "\\\\").replace('"', '\\"') for text in given])
    return f'{{"{joined}"}}' if given else "{}"
