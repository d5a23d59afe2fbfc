"""Real servers for the tests: one embedded PostgreSQL a run, a fresh workspace schema a test."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

TEST_HOME = tempfile.TemporaryDirectory(prefix="cairn-tests-")
os.environ["CAIRN_HOME"] = TEST_HOME.name
os.environ["CAIRN_SECRET_KEY"] = "only-for-tests"
os.environ["CAIRN_DNS_SERVER"] = "255.255.255.255"  # refused at once: no test asks the machine's resolver
for inherited in ("DATABASE_URL", "REDIS_URL", "CAIRN_SMTP_URL"):
    os.environ.pop(inherited, None)

from engine import partitions, workspace  # noqa: E402
from engine.db import Database  # noqa: E402
from tests.smtp import Receiver, recording_server  # noqa: E402
from workers.embedded import start_postgres, start_redis  # noqa: E402
from workers.embedded.binaries import postgres_folder  # noqa: E402

BLUEPRINT = "cairn_blueprint"
numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL of this run's own."""
    server = start_postgres(Path(TEST_HOME.name), durable=False)
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis of this run's own."""
    server = start_redis(Path(TEST_HOME.name))
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """A mail server that counts what it accepts, for all tests of a run."""
    with recording_server() as server:
        yield server


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    """An empty, migrated workspace with its partitions."""
    made = new_database(postgres_url)
    yield made
    drop(made)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A transaction on the workspace, committed at the end of the test."""
    with database.transaction() as opened:
        yield opened


def new_database(url: str, prefix: str = "test_") -> Database:
    """A migrated workspace of its own, for fixtures of another scope."""
    made = Database(url, workspace=f"{prefix}{next(numbers)}", pool_size=5)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(blueprint(url).replace(BLUEPRINT, made.workspace).encode())
    return made


@functools.cache
def blueprint(url: str) -> str:
    """SQL of a migrated workspace with its partitions: to repeat what migrations made is quicker than to migrate."""
    made = Database(url, workspace=BLUEPRINT)
    made.migrate()
    with made.transaction() as opened:
        partitions.ensure_ahead(opened, dt.datetime.now(dt.UTC), months=1)
        workspace.save(opened, quiet_hours={})  # or tests with texts would pass by day only
    dump = [str(postgres_folder() / "pg_dump"), "--schema", BLUEPRINT, "--inserts", "--no-owner", url]
    sql = subprocess.run(dump, check=True, capture_output=True, text=True).stdout
    drop(made)
    return "\n".join(line for line in sql.splitlines() if not line.startswith(("\\", "--")))


def drop(database: Database) -> None:
    """Remove the workspace and close its connections."""
    with database.transaction() as opened:
        opened.execute(text(f'drop schema "{database.workspace}" cascade'))
    database.close()
