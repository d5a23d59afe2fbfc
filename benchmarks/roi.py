"""The ROI report, from its counters, against the same figures counted straight from the ledger of messages.

Twenty journeys, five steps each, sent messages for a year; the counters are those that the commits of these rows would
have kept. The report as `engine.reports.roi` gives it and the ledger's figures must be equal.

Run: python -m benchmarks.roi [MESSAGES]; five million without arguments, after a first look at 100,000.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.bulk import vacuum, without_indexes
from benchmarks.measure import Figure, Meter, postgres, write
from engine import partitions
from engine.db import Database
from engine.reports import roi, rollup

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
DAYS = 360
FEW = 100_000
RUNS = 5
AT = "cast(:now as timestamptz) - (i * 7919 % (:days * 86400)) * interval '1 second'"
MADE = f"(select i, 1 + i % 20 as journey, {AT} as at from generate_series(cast(:first as bigint), :last) i) made"
JOURNEYS = text("""
insert into journeys (public_id, slug, state, live_version_id)
select md5(i::text), 'journey-' || i, 'live', i from generate_series(1, 20) i
""")
LEDGER = {
    "messages": f"""
    insert into messages (origin_at, enrolment_id, step_id, visit, contact_id, journey_id, version_id, content_id,
        channel, state, cost, queued_at, send_after, accepted_at, ended_at, first_open_at, first_click_at, token)
    select at, i, 'step-' || i / 20 % 5, 1, i, journey, journey, 1, 'email',
        case when i % 50 = 7 then 'suppressed' else 'delivered' end, case when i % 50 <> 7 then 0.001 end, at, at,
        case when i % 50 <> 7 then at end, at, case when i % 50 <> 7 and i % 3 = 0 then at + interval '1 hour' end,
        case when i % 50 <> 7 and i % 30 = 0 then at + interval '2 hours' end, md5(i::text)
    from {MADE}""",
    "hits": f"""
    insert into hits (at, kind, message_id, origin_at, method, classification)
    select at, case when i % 30 = 0 then 'click' else 'open' end, m.id, m.origin_at, 'GET', 'human'
    from {MADE} join messages m on m.origin_at = at and m.enrolment_id = i where i % 50 <> 7 and i % 3 = 0""",
    "credits": f"""
    insert into credits (conversion_id, model, message_id, origin_at, model_version, share, value)
    select i, 'last_touch', m.id, m.origin_at, 1, 1, i % 9000 / 100.0
    from {MADE} join messages m on m.origin_at = at and m.enrolment_id = i where i % 50 <> 7 and i % 60 = 0""",
    "events": f"""
    insert into events (message_id, received_at, occurred_at, contact_id, name, properties, source)
    select 'gone-' || i, at, at, i, 'Unsubscribed', jsonb_build_object('message', md5(i::text)), 'tracking'
    from {MADE} where i % 50 <> 7 and i % 200 = 0""",
}
FROM_LEDGER = """
with hit as (
    select message_id, count(*) filter (where kind = 'open') as opens, count(*) filter (where kind = 'click') as clicks
    from hits where classification is not null group by message_id),
credit as (select message_id, sum(share) as share, sum(value) as value from credits group by message_id),
gone as (
    select contact_id, properties ->> 'message' as token, count(*) as times
    from events where name = 'Unsubscribed' group by 1, 2)
select journey_id, step_id, channel, {day} count(accepted_at),
    count(*) filter (
        where accepted_at is null and state in ('suppressed', 'expired', 'cancelled', 'failed', 'unknown')),
    coalesce(sum(hit.opens), 0), count(first_open_at), coalesce(sum(hit.clicks), 0), count(first_click_at),
    coalesce(sum(gone.times), 0), count(delivered_at), count(*) filter (where state = 'bounced'),
    count(*) filter (where state = 'complained'), count(*) filter (where untracked),
    coalesce(sum(credit.share), 0), coalesce(sum(credit.value), 0), coalesce(sum(cost), 0)
from messages m left join hit on hit.message_id = m.id left join credit on credit.message_id = m.id
    left join gone on gone.contact_id = m.contact_id and gone.token = m.token
where accepted_at is not null or ended_at is not null group by journey_id, step_id, channel {group}
"""
BY_STEP = text(FROM_LEDGER.format(day="", group=""))
COUNTERS = text(
    f"insert into message_rollups (journey_id, step_id, channel, day, {', '.join(rollup.METRICS)}) "
    + FROM_LEDGER.format(day="coalesce(accepted_at, ended_at)::date,", group=", 4")
)


def prepare(session: Session) -> None:
    """Partitions, and the journeys of the messages."""
    for table in ("messages", "hits", "events"):
        partitions.ensure(session, table, [NOW - dt.timedelta(days=day) for day in range(DAYS + 1)])
    session.execute(JOURNEYS)


def fill(database: Database, first: int, last: int) -> None:
    """Messages with what they led to, then the counters of them all."""
    values = {"first": first, "last": last, "now": NOW, "days": DAYS}
    for table, statement in LEDGER.items():
        with without_indexes(database, table), database.transaction() as session:
            session.execute(text(statement), values)
    with database.transaction() as session:
        session.execute(text("delete from message_rollups"))
        session.execute(COUNTERS)
    vacuum(database, "message_rollups")


def from_rollups(session: Session) -> dict[tuple[str, str], tuple[Any, ...]]:
    """The product's report, by journey and step."""
    return {
        (journey.slug, step.step_id): tuple(getattr(step.figures, name) for name in rollup.METRICS)
        for journey in roi.report(session).journeys
        for step in journey.steps
    }


def from_ledger(session: Session) -> dict[tuple[str, str], tuple[Any, ...]]:
    """The same from the rows themselves."""
    return {(f"journey-{row[0]}", row[1]): tuple(row[3:]) for row in session.execute(BY_STEP)}


def measured(database: Database, work: Callable[[Session], Any]) -> tuple[float, float, Any]:
    """Milliseconds, CPU microseconds, and the figures."""
    meter, started = Meter(os.getpid()), time.perf_counter()
    with database.transaction() as session:
        found = work(session)
    return (time.perf_counter() - started) * 1000, meter.cpu() * 1e6, found


def compare(database: Database, count: int) -> list[Figure]:
    """Both ways, one after the other, a few times; equal each time."""
    reports, ledgers = [], []
    for _ in range(RUNS):
        reports.append(measured(database, from_rollups))
        ledgers.append(measured(database, from_ledger))
        assert reports[-1][2] == ledgers[-1][2], "the report and the ledger say different things"
    (report, cpu), (ledger, work) = (
        [statistics.median(run[place] for run in runs) for place in (0, 1)] for runs in (reports, ledgers)
    )
    return [
        Figure(f"from the ledger, {count:,} messages", ledger, "ms", None, "", work),
        Figure(f"report, {count:,} messages", report, "ms", ledger / report, "faster than the ledger", cpu),
    ]


def main(count: int) -> None:
    """A first tranche, then all."""
    with postgres() as (_, database, _home):
        with database.transaction() as session:
            prepare(session)
        fill(database, 1, FEW)
        few = compare(database, FEW)
        fill(database, FEW + 1, count)
        many = compare(database, count)
        growth = many[1].value / few[1].value
        write("roi", [*few, *many, Figure("report, growth", many[1].value, "ms", growth, f"{FEW:,} messages")])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000)
