"""CSV import of contacts against what PostgreSQL does at least: COPY into a staging table and one upsert.

Both read the same file into the same table with the same indexes, from empty tables, in turn. The reference decides on
`external_id` alone: it normalises nothing, finds nobody by email, announces no change to journeys and segments, reports
no row and is one transaction. The import does all that, in transactions of 10,000 rows. Then the same file again.

Run: python -m benchmarks.contacts_import [CONTACTS [ROUNDS]]
"""

from __future__ import annotations

import datetime as dt
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from benchmarks.measure import Figure, Meter, postgres, write
from engine import memory
from engine.db import Database
from engine.imports.contacts import import_contacts

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Sydney")
PLANS = ("free", "basic", "pro", "enterprise, yearly")
TABLES = "contacts, contact_identities, attribute_definitions, change_inbox, consent_states, consent_events"
STAGING = """
create temporary table staging (external_id text, email text, phone text, timezone text, plan text, seats numeric)
on commit drop"""
COPY = "copy staging from stdin (format csv, header)"
UPSERT = """
insert into contacts (external_id, email, phone, timezone, attributes)
select external_id, email, phone, timezone, jsonb_build_object('plan', plan, 'seats', seats) from staging
on conflict (external_id) do update set email = excluded.email, phone = excluded.phone, timezone = excluded.timezone,
    attributes = contacts.attributes || excluded.attributes, updated_at = now()"""


@dataclass
class Runs:
    """Seconds and CPU seconds of each run."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def rate(self, count: int) -> float:
        """Rows a second, by the median run."""
        return count / statistics.median(self.seconds)

    def cost(self, count: int) -> float:
        """CPU in microseconds a row, PostgreSQL included, by the median run."""
        return statistics.median(self.cpu) / count * 1e6


def make_file(path: Path, count: int) -> None:
    """A file as a shop exports it: every row has all cells."""
    with path.open("w", encoding="utf-8") as file:
        file.write("external_id,email,phone,timezone,plan,seats\n")
        for n in range(count):
            plan = PLANS[n % 4]
            cell = f'"{plan}"' if "," in plan else plan
            phone = 2_000_000_000 + n * 7919 % 7_999_999_999
            file.write(f"c{n},person.{n}@example{n % 50}.com,+1{phone},{ZONES[n % 3]},{cell},{n % 90}\n")


def reference(url: str, workspace: str, path: Path) -> None:
    """Staging and one upsert, one commit."""
    with psycopg.connect(url, options=f"-c search_path={workspace}") as connection:
        connection.execute(STAGING)
        with connection.cursor() as cursor, cursor.copy(COPY) as out, path.open("rb") as file:
            while block := file.read(1 << 18):
                out.write(block)
        connection.execute(UPSERT)


def empty(database: Database) -> None:
    """As after the installation."""
    with database.transaction() as session:
        session.connection().exec_driver_sql(f"truncate {TABLES} cascade")


def timed(url: str, runs: Runs, work: Callable[[], None]) -> None:
    """One run after a checkpoint."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("checkpoint")
    meter, started = Meter(psutil.Process().pid), time.perf_counter()
    work()
    runs.seconds.append(time.perf_counter() - started)
    runs.cpu.append(meter.cpu())


def main(count: int, rounds: int) -> None:
    """Reference, import, the same import again; so many times."""
    memory.expect_batches()
    bare, first, again = Runs(), Runs(), Runs()
    with postgres() as (url, database, home):
        path = home / "contacts.csv"
        make_file(path, count)

        def product() -> None:
            counts = import_contacts(database, path, now=dt.datetime.now(dt.UTC), folder=home)
            assert (counts.rows, counts.refused) == (count, 0), counts

        for _ in range(rounds):
            empty(database)
            timed(url, bare, lambda: reference(url, database.workspace, path))
            empty(database)
            timed(url, first, product)
            timed(url, again, product)
        peak = Meter(psutil.Process().pid).peak_mb()
    rate, name = bare.rate(count), "COPY + upsert"
    write(
        "contacts_import",
        [
            Figure("COPY into staging and upsert", rate, "rows/s", cpu_us_per_unit=bare.cost(count)),
            Figure("import", first.rate(count), "rows/s", first.rate(count) / rate, name, first.cost(count), peak),
            Figure("the same file again", again.rate(count), "rows/s", again.rate(count) / rate, name,
                   again.cost(count), peak),
            Figure("the same file again, time", statistics.median(again.seconds) * 1000, "ms",
                   statistics.median(again.seconds) / statistics.median(first.seconds), "first import"),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
