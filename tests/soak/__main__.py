"""Endurance: `python -m tests.soak [--minutes 30] [--rate 40]`, steady load on a whole supervised site.

Prints a line of readings every quarter of a minute, then how each reading of the last third stands against the second,
and writes var/bench/soak.json and var/bench/soak-samples.json. Exit code 1 if one has grown beyond its bound
(`verdict.BOUNDS`), if a call was refused, or if the site is not quiet in the end.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import Figure
from engine import clock, segments, users
from engine.content import store
from engine.db import Database
from engine.settings import Settings
from journeys.publish import publish
from tests.invariants import quiet
from tests.ledger import assert_counters_equal_ledger
from tests.nemesis.stage import free_port
from tests.soak.load import CONTENT, CONTENTS, JOURNEY, SEGMENT, Load
from tests.soak.sample import Sample, sample
from tests.soak.verdict import Slope, slopes
from workers.embedded import process
from workers.site import Site, supervised

EVERY = 15.0
FEWEST = 9  # readings, however short the run
QUIET_WITHIN = 90.0


def main() -> int:
    """One run; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=40.0, help="people who sign up in a second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, receiver(Path(folder)) as smtp_url:
        settings = Settings(home=Path(folder) / "site").model_copy(update={"smtp_url": smtp_url})
        with supervised(settings, port=0) as site:
            load = Load(site.address, prepare(site.database), Path(folder) / "record", options.rate)
            samples = observe(site, load, options.minutes * 60)
            troubles = at_rest(site.database) + refused(load)
    found = slopes(samples)
    report(samples, found, load)
    troubles += [f"{each.name} is not flat" for each in found if not each.flat]
    print(*troubles, sep="\n")
    return bool(troubles)


@contextmanager
def receiver(folder: Path) -> Iterator[str]:
    """The mail server, which behaves; its address."""
    port, record = free_port(), folder / "record"
    record.touch()
    command = [sys.executable, "-m", "tests.nemesis.receiver", "0", str(port), str(record), "calm"]
    child = process.spawn(command, folder / "receiver.log", death_signal=signal.SIGKILL)
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        process.stop(child, (signal.SIGTERM, 5.0))


def prepare(database: Database) -> str:
    """Publish contents, a segment and the journey; an API key."""
    now = dt.datetime.now(dt.UTC)
    with database.transaction() as session:
        for slug in CONTENTS:
            store.save(session, CONTENT.format(slug=slug), slug, "email", now)
        segments.save(session, *SEGMENT)
        publish(session, JOURNEY, now, "soak")
        return users.create_api_key(session, "soak")


def observe(site: Site, load: Load, seconds: float) -> list[Sample]:
    """Readings of a site under load."""
    started, samples = time.monotonic(), list[Sample]()
    load.start()
    while (passed := time.monotonic() - started) < seconds:
        time.sleep(min(EVERY, seconds / FEWEST, seconds - passed))
        samples.append(sample(site, site.database, started))
        print(line(samples[-1]), flush=True)
    load.stop()
    return samples


def line(now: Sample) -> str:
    """The readings that people look at first."""
    memory = " ".join(
        f"{name.removeprefix('memory ')} {value:.0f}" for name, value in now.items() if name.startswith("memory ")
    )
    lag = max(value for name, value in now.items() if name.startswith("lag "))
    dead = sum(value for name, value in now.items() if name.startswith("dead "))
    return (
        f"{now['at']:6.0f} s  lag {lag:5.2f} s  latency {now['latency p50']:5.0f} / {now['latency p95']:5.0f} ms  "
        f"messages {now.get('rows messages', 0):8,.0f}  dead rows {dead:8,.0f}  MB: {memory}"
    )


def at_rest(database: Database) -> list[str]:
    """What is wrong once the load is over: work left after a while, counters that differ from the rows."""
    until = time.monotonic() + QUIET_WITHIN
    while time.monotonic() < until:
        with database.transaction() as session:
            left = quiet(session, clock.now(session))
        if not left:
            break
        time.sleep(1)
    with database.transaction() as session:
        try:
            assert_counters_equal_ledger(session)
        except AssertionError as error:
            left.append(f"counters differ: {str(error)[:500]}")
    return left


def refused(load: Load) -> list[str]:
    """Answers that were no success."""
    bad = {status: count for status, count in load.answers.items() if status not in ("200", "302")}
    return [f"calls without success: {bad}"] if bad else []


def report(samples: list[Sample], found: list[Slope], load: Load) -> None:
    """The table, and the files beside it."""
    print(f"\ncalls {dict(load.answers)}; the load was {load.late:.1f} s behind plan at most")
    print("last third against the second (shown: what is not negligible):")
    for each in found:
        if not each.flat or max(each.before, each.after) >= each.bound.slack:
            mark = "" if each.flat else "  NOT FLAT"
            print(f"  {each.name:<34} {each.before:12,.2f} -> {each.after:12,.2f} {each.bound.unit}{mark}")
    figures = [
        Figure(each.name, each.after, each.bound.unit, each.after / each.before, "second third")
        for each in found
        if each.before
    ]
    folder = Path("var/bench")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "soak.json").write_text(json.dumps([asdict(figure) for figure in figures], indent=1))
    (folder / "soak-samples.json").write_text(json.dumps(samples))


if __name__ == "__main__":
    sys.exit(main())
