"""ClickHouse inside this process (chDB): the population of a database, in typed columns, and its segments in SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.population import NOW
from engine.db import Database, driver

TABLES = (
    """create table contacts (id UInt64, plan LowCardinality(String), seats UInt16, erased Bool)
    engine MergeTree order by id""",
    """create table events (contact_id UInt64, name LowCardinality(String), occurred_at DateTime('UTC'),
    revenue Nullable(Decimal(18, 2)))
    engine MergeTree partition by toYYYYMM(occurred_at) order by (name, occurred_at)""",
)
EXPORTS = {
    "contacts": "select id, attributes ->> 'plan', attributes ->> 'seats', erased_at is not null from contacts",
    "events": """select contact_id, name, extract(epoch from occurred_at)::bigint, properties ->> 'revenue'
    from events""",
}
ALIVE = "contact_id not in (select id from contacts where erased)"
DID = "select contact_id from events where name = '{}' and occurred_at <= now and occurred_at >= now - interval {} day"
QUERIES = {
    "attribute": "select count() from contacts where not erased and plan = 'pro' and seats >= 20",
    "count in a window": f"""select count() from (
        {DID.format("Order Completed", 30)} and {ALIVE} group by contact_id having count() >= 2)""",
    "absence in a window": f"""select count() from contacts
        where not erased and id not in ({DID.format("Product Viewed", 60)})""",
    "sum": f"""select count() from (
        {DID.format("Order Completed", 90)} and {ALIVE} group by contact_id having sum(revenue) > 200)""",
    "then within": f"""select count() from (
        select contact_id from events
        where name in ('Product Viewed', 'Order Completed') and occurred_at <= now and {ALIVE} group by contact_id
        having windowFunnel(40 * 86400, 'strict_increase')(
            occurred_at, name = 'Product Viewed', name = 'Order Completed') = 2)""",
    "nested": f"""select count() from contacts
        where not erased and (plan = 'pro' or id in ({DID.format("Order Completed", 7)}))
            and id not in (select contact_id from events where name = 'Refunded' and occurred_at <= now)""",
}


def load(database: Database, folder: Path) -> Any:
    """A chDB session with everything that the rules need. Raises ImportError without chDB."""
    from chdb.session import Session

    found = Session(str(folder / "clickhouse"))
    found.query("create database bench")
    found.query("use bench")
    for table in TABLES:
        found.query(table)
    for table, query in EXPORTS.items():
        file = folder / f"{table}.csv"
        with (
            database.transaction() as session,
            file.open("wb") as out,
            driver(session).cursor().copy(f"copy ({query}) to stdout (format csv)") as rows,
        ):
            out.writelines(rows)
        found.query(f"insert into {table} select * from file('{file}', 'CSV')")
        found.query(f"optimize table {table} final")
    return found


def count(found: Any, rule: str) -> int:
    """The members of a segment, counted."""
    return int(str(found.query(f"with toDateTime('{NOW:%F %T}', 'UTC') as now {QUERIES[rule]}", "CSV")))
