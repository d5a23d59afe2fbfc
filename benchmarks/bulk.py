"""Loading large tables: indexes are made again afterwards, which is quicker and gives the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from engine.db import Database

INDEXES = text("""
select i.relname as name, c.conname is not null as is_constraint,
       coalesce(pg_get_constraintdef(c.oid), replace(pg_get_indexdef(i.oid), ' ON ONLY ', ' ON ')) as definition
from pg_index x join pg_class i on i.oid = x.indexrelid left join pg_constraint c on c.conindid = i.oid
where x.indrelid = to_regclass(:table)
""")


@contextmanager
def without_indexes(database: Database, table: str) -> Iterator[None]:
    """The table has no indexes in the block; it is vacuumed and analyzed after it."""
    with database.transaction() as session:
        indexes = session.execute(INDEXES, {"table": table}).all()
        for name, is_constraint, _ in indexes:
            drop = f"alter table {table} drop constraint {name}" if is_constraint else f"drop index {name}"
            session.execute(text(drop))
    yield
    with database.transaction() as session:
        session.execute(text("set local maintenance_work_mem = '1GB'"))
        for name, is_constraint, definition in indexes:
            made = f"alter table {table} add constraint {name} {definition}" if is_constraint else definition
            session.execute(text(made))
    vacuum(database, table)


def vacuum(database: Database, *tables: str) -> None:
    """What autovacuum does sooner or later, and a checkpoint."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in tables:
            connection.exec_driver_sql(f'vacuum analyze "{database.workspace}".{table}')
        connection.exec_driver_sql("checkpoint")
