"""Benchmarks that fill tables by hand still fit the tables, and find what the product finds."""

from __future__ import annotations

from benchmarks import roi
from engine.db import Database


def test_the_report_and_the_ledger_of_its_benchmark_agree(database: Database) -> None:
    with database.transaction() as session:
        roi.prepare(session)
    roi.fill(database, 1, 2000)
    with database.transaction() as session:
        report, ledger = roi.from_rollups(session), roi.from_ledger(session)
    assert report == ledger and len(ledger) == 100
