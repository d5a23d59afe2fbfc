"""Due enrolments through wait -> branch -> send -> wait, with log, counters and messages, against one SQL statement.

Run: python -m benchmarks.journey [DUE [PARKED]]. Both ways move DUE enrolments (50,000) five times, alternating, in
batches of the same size, and must write the same rows. Then the executor moves five cohorts of people who are due among
10,000 who are not, and five among PARKED (1,000,000), alternating: the cost of each should not depend on the others.
"""

from __future__ import annotations

import datetime as dt
import resource
import statistics
import sys

from benchmarks.journey_bench import NOW, Bench, Run
from benchmarks.measure import Figure, postgres, write
from engine import memory
from engine.db import Database

ROUNDS = 5
COHORT = 10_000
FEW = 10_000
MINUTE = dt.timedelta(minutes=1)


def beside_sql(database: Database, due: int) -> list[Figure]:
    """The executor against the statement."""
    bench = Bench(database, due)
    runs: dict[str, list[Run]] = {"sql": [], "cairn": []}
    written = {}
    for _ in range(ROUNDS + 1):
        for name, way in (("sql", bench.by_sql), ("cairn", bench.by_cairn)):
            bench.empty()
            bench.park(1, due, NOW)
            bench.settle()
            runs[name].append(way(due))
            written[name] = written.get(name) or bench.written()
    assert written["sql"] == written["cairn"], written
    reference, ours = (_median(runs[name][1:]) for name in ("sql", "cairn"))  # the first warms up
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure("one SQL statement", reference.rate, "/s", cpu_us_per_unit=reference.cpu_us),
        Figure("executor", ours.rate, "/s", ours.rate / reference.rate, "one SQL statement", ours.cpu_us, peak),
    ]


def beside_parked(few: Database, many: Database, parked: int) -> list[Figure]:
    """The executor where few and where many wait for later; those due stand together among them."""
    benches = [_crowded(few, FEW), _crowded(many, parked)]
    runs: list[list[Run]] = [[], []]
    for cohort in range(ROUNDS + 1):
        for bench, found in zip(benches, runs, strict=True):
            bench.settle()
            found.append(bench.by_cairn(COHORT, NOW + cohort * MINUTE))
    small, large = (_median(found[1:]) for found in runs)
    flat = small.rate / large.rate
    return [
        Figure(f"executor, {FEW:,} parked", small.rate, "/s", cpu_us_per_unit=small.cpu_us),
        Figure(f"executor, {parked:,} parked", large.rate, "/s", 1 / flat, f"{FEW:,} parked", large.cpu_us),
        Figure("cost of one who is due among many", 1e6 / large.rate, "us", flat, f"{FEW:,} parked", large.cpu_us),
    ]


def _crowded(database: Database, parked: int) -> Bench:
    """Half of the parked have entered before those who are due, half after them; they wake within a month from now."""
    due = (ROUNDS + 1) * COHORT
    bench = Bench(database, due)
    half, later, month = parked // 2, NOW + dt.timedelta(days=1), dt.timedelta(days=30)
    bench.park(due + 1, half, later, 1, month / parked)
    bench.park(1, due, NOW, COHORT, MINUTE)
    bench.park(due + half + 1, parked - half, later + month / 2, 1, month / parked)
    return bench


def _median(runs: list[Run]) -> Run:
    return Run(statistics.median(run.rate for run in runs), statistics.median(run.cpu_us for run in runs))


def main(due: int = 50_000, parked: int = 1_000_000) -> None:
    """Alternate, so that both meet the same machine."""
    with postgres() as (url, database, _home):
        memory.expect_batches()
        found = beside_sql(database, due)
        few, many = (Database(url, workspace=f"cairn_{name}") for name in ("few", "many"))
        try:
            write("journey", found + beside_parked(few, many, parked))
        finally:
            few.close()
            many.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
