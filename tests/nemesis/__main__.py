"""Real processes under a seeded nemesis: `python -m tests.nemesis [--seed N] [--contacts N] [--kills N] [--seconds N]`.

Contacts run a journey while workers, schedulers, web, Redis, PostgreSQL and the SMTP receiver are killed, stopped and
starved by a plan that the seed alone decides. Exit code 0 if nobody was lost and nobody got anything twice; else the
seed, the plan, the problems and the place of the logs are printed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from engine import clock, users
from engine.campaigns import definition, states
from engine.campaigns import store as campaigns
from engine.content import store
from engine.db import Database
from journeys.publish import publish
from tests.invariants import quiet, watch
from tests.nemesis.check import Record, Verdict, judge
from tests.nemesis.faults import Nemesis
from tests.nemesis.people import CAMPAIGN, CAMPAIGN_AFTER, CONTENT, CONTENTS, JOURNEY, Crowd, Person
from tests.nemesis.plan import plan
from tests.nemesis.stage import Stage

TICK = 0.05
QUIET_FOR = 3.0
HARDLY_ANY = 0.1
AHEAD = dt.timedelta(minutes=2)  # hits that wait to be classified are work too
HASTEN = "update messages set send_after = now() where state = 'queued' and reason = 'deferred' and send_after > now()"
"""Once the receiver behaves, nobody waits the minutes until a deferred message is tried again."""


def main() -> int:
    """One run; the exit code."""
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="nemesis-"))
    stage, started = Stage(folder, options.seed), time.monotonic()
    faults = plan(options.seed, options.kills, options.seconds)
    nemesis = Nemesis(stage, list(faults), random.Random(options.seed))
    try:
        verdict = _run(stage, nemesis, options)
    finally:
        stage.stop()
        logs = stage.keep_logs()
        if stage.disk:
            stage.disk.leave()
    _report(stage, nemesis, verdict, time.monotonic() - started)
    if problems := verdict.problems():
        print(f"\nThe plan of seed {options.seed}:", *faults, sep="\n  ")
        print(f"\nSeed {options.seed} FAILED; logs and the receiver's record: {logs.parent}")
        print(*problems, sep="\n")
        return 1
    if options.keep:
        print(f"logs and the receiver's record: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.nemesis")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=240.0, help="how long faults happen and people arrive")
    parser.add_argument("--patience", type=float, default=240.0, help="how long the site may take to become quiet")
    parser.add_argument("--keep", action="store_true", help="keep the logs and the record of a run without problems")
    return parser.parse_args()


def _run(stage: Stage, nemesis: Nemesis, options: argparse.Namespace) -> Verdict:
    database = stage.start()
    people = [Person(number) for number in range(options.contacts)]
    crowd = Crowd(stage.port, _prepare(database, options.seconds), stage.record, people, options.seconds, options.seed)
    print(
        f"seed {options.seed}: {options.contacts} contacts, {options.kills} kills in {options.seconds:.0f} s",
        flush=True,
    )
    stage.await_ready()
    crowd.start()
    nemesis.started = time.monotonic()
    while not (nemesis.over and crowd.done) and not _late(nemesis, options, 1.0):
        nemesis.step()
        stage.tend()
        time.sleep(TICK)
    stage.calm()
    calm_at, before = time.monotonic(), Record.read(stage.record).counts["accepted"]
    settled = _await_quiet(stage, database, crowd, nemesis, options)
    crowd.stop()
    with database.transaction() as session:
        verdict = judge(session, people, crowd.left, Record.read(stage.record), nemesis.in_flight + stage.lost_senders)
    print(
        f"calls: {dict(crowd.calls)}; quiet {time.monotonic() - calm_at:.0f} s after the last fault, "
        f"by which {before} were accepted"
    )
    if not (crowd.done and nemesis.over):
        verdict.blame("not done in time", [f"{len(nemesis.faults)} faults", f"the crowd is done: {crowd.done}"])
    if before < HARDLY_ANY * options.contacts:
        verdict.blame("hardly any mail before the last fault: this proves nothing", [before])
    if not settled:
        verdict.blame("not quiet (I6)", ["the site"])
    database.close()
    return verdict


def _prepare(database: Database, seconds: float) -> str:
    """Publish the journey with its contents, and plan a campaign to whoever has come by then; an API key."""
    now = dt.datetime.now(dt.UTC)
    with database.transaction() as session:
        watch(session)
        for slug in CONTENTS:
            store.save(session, CONTENT.format(slug=slug), slug, "email", now)
        publish(session, JOURNEY, now, "nemesis")
        starts = now + dt.timedelta(seconds=seconds * CAMPAIGN_AFTER)
        campaign = campaigns.save(session, definition.read(CAMPAIGN | {"at": starts.isoformat()}), now, "nemesis")
        states.change(session, campaign.slug, "start", now, "nemesis")
        return users.create_api_key(session, "nemesis")


def _late(nemesis: Nemesis, options: argparse.Namespace, share: float) -> bool:
    return bool(time.monotonic() - nemesis.started > options.seconds + options.patience * share)


def _await_quiet(stage: Stage, database: Database, crowd: Crowd, nemesis: Nemesis, options: argparse.Namespace) -> bool:
    """Whether nothing was left to do for some seconds before patience ended."""
    since = time.monotonic()
    while not _late(nemesis, options, 2.0):
        stage.tend()
        try:
            with database.transaction() as session:
                session.execute(text(HASTEN))
                busy = quiet(session, clock.now(session) + AHEAD)
        except SQLAlchemyError as error:
            busy = [str(error)]
        if busy:
            since = time.monotonic()
        elif time.monotonic() - max(since, crowd.acted_at) > QUIET_FOR:
            return True
        time.sleep(0.5)
    return False


def _report(stage: Stage, nemesis: Nemesis, verdict: Verdict, seconds: float) -> None:
    print(f"kills {nemesis.kills.total()}: {dict(nemesis.kills)}")
    print(f"pauses {dict(nemesis.pauses)}, shortages {dict(nemesis.shortages)}")
    if stage.no_disk:
        print(f"a full disk is NOT POSSIBLE HERE ({stage.no_disk}); a worker that may write no file stands in for it")
    print(f"ends that nobody asked for: {dict(stage.ended)}")
    print(f"the receiver's record: {dict(Record.read(stage.record).counts)}")
    print(f"ledger: {dict(sorted(verdict.states.items()))}; at most {verdict.allowed} may be unknown")
    print(f"{seconds:.0f} s on {os.cpu_count()} cores")


if __name__ == "__main__":
    sys.exit(main())
