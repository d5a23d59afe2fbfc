"""Month partitions of the large tables, made ahead by the scheduler and on demand by who writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.orm import Session

# A partition made in the present transaction may still be undone, so it is not remembered yet.
KNOWN = text("""
select c.relname, c.xmin::text is distinct from pg_current_xact_id_if_assigned()::xid::text
from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = to_regclass(:table)
""")
_seen: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()

# A message's last states follow within seconds; with room on its page they write into no index.
STORAGE = {"messages": " with (fillfactor = 50)"}
MONTHLY = ("events", "step_log", "messages", "hits")


def ensure(session: Session, table: str, moments: Iterable[dt.datetime]) -> None:
    """Make the partitions of `table` that hold `moments`; months that this process has seen cost nothing."""
    months = {m.astimezone(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0) for m in moments}
    seen = _seen.setdefault(session.get_bind(), set())
    names = {name: month for month in months if (name := f"{table}_{month:%Y_%m}") not in seen}
    if not names:
        return
    known: dict[str, bool] = {row[0]: row[1] for row in session.execute(KNOWN, {"table": table})}
    seen |= {name for name, settled in known.items() if settled}
    for name in sorted(names.keys() - known.keys()):
        _create(session, table, name, names[name])


def ensure_ahead(session: Session, now: dt.datetime, months: int = 3) -> None:
    """Make this month's partition of every large table, the one before, and the next `months`."""
    first = now.astimezone(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    wanted = [first - dt.timedelta(days=1), first]
    for _ in range(months):
        wanted.append(_next_month(wanted[-1]))
    for table in MONTHLY:
        ensure(session, table, wanted)


def _create(session: Session, table: str, name: str, month: dt.datetime) -> None:
    """Under a lock: two processes that make the same partition at once must not fail."""
    session.execute(text("select pg_advisory_xact_lock(hashtext(current_schema() || :table))"), {"table": table})
    session.execute(
        text(
            f"create table if not exists {name} partition of {table} "
            f"for values from ('{month.isoformat()}') to ('{_next_month(month).isoformat()}')" + STORAGE.get(table, "")
        )
    )


def _next_month(moment: dt.datetime) -> dt.datetime:
    first = moment.replace(day=1)
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
