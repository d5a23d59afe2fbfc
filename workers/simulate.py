"""Simulations on all cores: contacts are independent of each other, so each process replays its share."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat

from engine import workspace
from engine.db import Database
from engine.expr.load import load as load_schema
from engine.memory import expect_batches
from engine.signing import signer
from journeys.simulate import Plan, Tally, plan, population, replay_people, winners
from journeys.simulate.plan import splits
from journeys.simulate.winners import Winners

SLICE = 2000
SMALL = 4 * SLICE
_here: dict[str, tuple[Database, Plan]] = {}


def simulate(
    database: Database,
    source: str,
    start: dt.datetime,
    end: dt.datetime,
    *,
    processes: int | None = None,
) -> tuple[Plan, Tally]:
    """Replay the draft `source` over [start, end), with nothing sent or written. Raises as `journeys.simulate.plan`.

    `processes` is the number of cores if left out; few people are replayed in this process.
    """
    read = _plan(database, source, start, end)
    with database.transaction() as session:
        ids = population(session, read)
    slices = [ids[at : at + SLICE] for at in range(0, len(ids), SLICE)]
    for _ in range(len(splits(read.program)) + 1):  # the winner of one split decides who comes by the next one
        total = Tally()
        for tally in _tallies(database, source, read, slices, processes or os.cpu_count() or 1):
            total.add(tally)
        if (chosen := winners(read, total)) == read.winners:
            break
        read = replace(read, winners=chosen)
    return read, total


def _plan(database: Database, source: str, start: dt.datetime, end: dt.datetime) -> Plan:
    with database.transaction() as session:
        return plan(source, load_schema(session), workspace.load(session), start, end)


def _tallies(database: Database, source: str, read: Plan, slices: list[array[int]], processes: int) -> Iterator[Tally]:
    if processes == 1 or len(slices) * SLICE <= SMALL:
        yield from (_replay(database, read, ids) for ids in slices)
        return
    given = (database.url, database.workspace, source, read.start, read.end)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, _open, given) as pool:
        yield from pool.map(_share, repeat(source), slices, repeat(dict(read.winners)))


def _replay(database: Database, read: Plan, ids: Sequence[int]) -> Tally:
    with database.transaction() as session:
        return replay_people(session, read, ids, signer())


def _open(url: str, name: str, source: str, start: dt.datetime, end: dt.datetime) -> None:
    """In a process of the pool: connect, and read the draft once."""
    expect_batches()
    database = Database(url, workspace=name, pool_size=1)
    _here[source] = database, _plan(database, source, start, end)


def _share(source: str, ids: Sequence[int], chosen: Winners) -> Tally:
    database, read = _here[source]
    return _replay(database, replace(read, winners=chosen), ids)
