"""Segments of different kinds: all contacts against chDB on the same data, and 10,000 contacts that were touched.

Both systems count the members, a run of one after a run of the other, and must find the same. Ours is the product's own
path, `engine.segments`: the rule's text, parsed, checked, compiled. CPU is per contact that is judged.

Run: python -m benchmarks.segments [CONTACTS [EVENTS]]; a million and ten million without arguments.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from benchmarks import clickhouse, population
from benchmarks.measure import Figure, Meter, postgres, write
from benchmarks.population import NOW
from engine import segments
from engine.db import Database
from engine.expr import dependencies
from engine.expr.load import load
from engine.segments.judging import judge
from engine.segments.rules import Rule

RUNS = 3
TOUCHED = 10_000
RULES = {
    "attribute": 'plan is "pro" and seats >= 20',
    "count in a window": "purchased at least 2 times in the last 30 days",
    "absence in a window": 'not did "Product Viewed" in the last 60 days',
    "sum": 'sum of revenue over "Order Completed" in the last 90 days > 200',
    "then within": 'did "Product Viewed" then "Order Completed" within 40 days',
    "nested": '(plan is "pro" or purchased in the last 7 days) and never did "Refunded"',
}


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Milliseconds, CPU seconds of this process and PostgreSQL, and what came out."""
    meter, started = Meter(os.getpid()), time.perf_counter()
    found = work()
    return (time.perf_counter() - started) * 1000, meter.cpu(), found


def incremental(database: Database, contacts: int) -> dict[str, tuple[float, float]]:
    """Median milliseconds, and CPU seconds, of finding the members among some contacts, by rule."""
    chance, spent = random.Random(1), {}
    touched = sorted(chance.sample(range(1, contacts + 1), min(TOUCHED, contacts)))
    with database.transaction() as session:
        schema = load(session)
        for name, rule in RULES.items():
            node = segments.resolve(rule, schema)
            one = Rule(1, name, node, dependencies(node, schema.aliases))
            runs = [timed(lambda one=one: judge(session, one, schema, touched, NOW)) for _ in range(RUNS)]
            spent[name] = (statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs))
    return spent


def full(database: Database, reference: Any, contacts: int) -> list[Figure]:
    """Each rule over all contacts."""
    figures = []
    for name, rule in RULES.items():
        ours, theirs = [], []
        for _ in range(RUNS):
            with database.transaction() as session:
                ours.append(timed(lambda s=session, r=rule: segments.count(s, r, NOW)))
            if reference is not None:
                theirs.append(timed(lambda n=name: clickhouse.count(reference, n)))
        assert len({found for _, _, found in ours + theirs}) == 1, f"{name}: members differ: {ours} {theirs}"
        spent, cpu = (statistics.median(run[place] for run in ours) for place in (0, 1))
        ratio = spent / statistics.median(run[0] for run in theirs) if theirs else None
        title = f"{name} ({ours[0][2]:,} members)"
        figures.append(Figure(title, spent, "ms", ratio, "chDB", cpu * 1e6 / contacts))
    return figures


def refresh(database: Database, contacts: int) -> list[Figure]:
    """What writing memberships adds: the first fill of a segment, and a refresh that changes nothing."""
    figures = []
    for title in ("first fill, memberships written", "refresh, nothing to write"):
        with database.transaction() as session:
            if not figures:
                segments.save(session, "bench", RULES["absence in a window"])
            spent, cpu, size = timed(lambda s=session: segments.refresh(s, "bench", NOW))
        figures.append(Figure(f"{title} ({size:,} members)", spent, "ms", None, "", cpu * 1e6 / contacts))
        with database.transaction() as session:
            session.execute(text("analyze segment_memberships"))
    return figures


def main(contacts: int, events: int) -> None:
    """Fill with a tenth of the events, then with all of them."""
    with postgres() as (_, database, home):
        population.people(database, contacts)
        population.happenings(database, contacts, events, tenth=True)
        few = incremental(database, contacts)
        population.happenings(database, contacts, events, tenth=False)
        try:
            reference = clickhouse.load(database, home)
        except ImportError as error:
            print(f"There is no chDB to compare with ({error}): run `make bench`, if it has a wheel for this platform.")
            reference = None
        figures = full(database, reference, contacts)
        whole = {name: figure.value for name, figure in zip(RULES, figures, strict=True)}
        for name, (spent, cpu) in incremental(database, contacts).items():
            title, cost = f"{name}, {TOUCHED:,} touched", cpu * 1e6 / TOUCHED
            figures.append(Figure(title, spent, "ms", spent / whole[name], "all contacts", cost))
            figures.append(Figure(f"{title}, growth", spent, "ms", spent / few[name][0], f"{events // 10:,} events"))
        write("segments", figures + refresh(database, contacts))


if __name__ == "__main__":
    main(*(int(value) for value in (sys.argv[1:] + ["1000000", "10000000"][len(sys.argv) - 1 :])))
