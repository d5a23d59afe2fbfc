"""What a running site weighs at an instant: its processes, its tables, its queues, its latency."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
from redis import Redis
from sqlalchemy import text

from engine.db import Database
from workers.embedded import running
from workers.site import Site

MB = 1e6

TABLES = text("""
select pg_partition_root(s.relid)::regclass::text as root, sum(s.n_live_tup)::bigint as live,
    sum(s.n_dead_tup)::bigint as dead, sum(pg_total_relation_size(s.relid))::bigint as bytes
from (select relid, n_live_tup, n_dead_tup, schemaname from pg_stat_user_tables
    where schemaname = current_schema()) s
where pg_partition_root(s.relid) is not null group by 1
union all
select relname, n_live_tup, n_dead_tup, pg_total_relation_size(relid) from pg_stat_user_tables
where schemaname = current_schema() and pg_partition_root(relid) is null
""")

LAGS = {
    "event": "select min(available_at) from event_inbox",
    "change": "select min(created_at) from change_inbox",
    "enrolment": "select min(wake_at) from enrolments where status = 'active' and wake_at <= now()",
    "message": "select min(send_after) from messages where state = 'queued' and claimed_at is null "
    "and ended_at is null and send_after <= now()",
    "hit": "select min(at) + interval '3 seconds' from hits where classification is null",
}
"""The instant since which the oldest entry of each queue has been due."""

LATENCY = text("""
select percentile_cont(array[0.5, 0.95])
    within group (order by extract(epoch from m.accepted_at - e.trigger_received_at))
from messages m join enrolments e on e.id = m.enrolment_id
where m.origin_at > now() - interval '20 seconds' and m.step_id = 'hello' and m.accepted_at is not null
""")

Sample = dict[str, float]
"""Readings by name: `memory PROCESS` (MB), `files PROCESS` (open), `cpu PROCESS` (s since its start), `lag QUEUE` (s),
`latency p50` and `p95` (ms), `size TABLE` (MB), `rows TABLE`, `dead TABLE`, `redis MB`, `redis keys`, `journal MB`,
`journals`, `log MB`, `at` (s)."""


def sample(site: Site, database: Database, started: float) -> Sample:
    """One reading of everything; `started` is on the monotonic clock."""
    home = Path(site.settings.home)
    return {"at": time.monotonic() - started, **_processes(home), **_tables(database), **_redis(site), **_journal(home)}


def _processes(home: Path) -> Sample:
    """Resident memory that is not shared, so that PostgreSQL's buffers count once, as its own line."""
    site = running.read(home)
    found: Sample = {}
    assert site is not None
    for name, pid in site.processes.items():
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        found[f"memory {name}"] = sum(each.memory_full_info().uss for each in tree) / MB
        found[f"files {name}"] = sum(each.num_fds() for each in tree)
        found[f"cpu {name}"] = sum(_seconds(each) for each in tree)
    servers = {each.name(): each for each in psutil.Process().children() if each.name() in ("postgres", "redis-server")}
    for name, each in servers.items():
        tree = [each, *each.children()]
        found[f"memory {name}"] = sum(_own(one) for one in tree) / MB
        found[f"files {name}"] = len(tree)
        found[f"cpu {name}"] = sum(_seconds(one) for one in tree)
    return found


def _seconds(process: psutil.Process) -> float:
    """Of the process and of those of its children that have ended."""
    try:
        return float(sum(process.cpu_times()[:4]))
    except psutil.NoSuchProcess:
        return 0.0


def _own(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().uss)
    except psutil.NoSuchProcess:
        return 0.0


def _tables(database: Database) -> Sample:
    found: Sample = {}
    with database.transaction() as session:
        for name, query in LAGS.items():
            lag = session.execute(text(f"select extract(epoch from now() - ({query}))")).scalar()
            found[f"lag {name}"] = max(float(lag or 0.0), 0.0)
        quantiles = session.execute(LATENCY).scalar() or (0.0, 0.0)
        found["latency p50"], found["latency p95"] = (float(each) * 1000 for each in quantiles)
        for root, live, dead, size in session.execute(TABLES):
            name = root.rpartition(".")[2].strip('"')
            found |= {f"rows {name}": live, f"dead {name}": dead, f"size {name}": size / MB}
    return found


def _redis(site: Site) -> Sample:
    with Redis.from_url(str(site.settings.redis_url)) as client:
        return {"redis MB": client.info("memory")["used_memory"] / MB, "redis keys": float(client.dbsize())}


def _journal(home: Path) -> Sample:
    files = [path.stat().st_size for path in (home / "journal").glob("*-*-*")]
    logs = sum(path.stat().st_size for path in (home / "log").iterdir())
    return {"journals": float(len(files)), "journal MB": sum(files) / MB, "log MB": logs / MB}
