"""How long raw data is kept, by kind; what is over goes a batch at a time, and counters of reports stay as they are."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg.errors import LockNotAvailable
from sqlalchemy import TextClause, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine import workspace
from engine.errors import InvalidInput, NotFound
from engine.model import AuditLog

SETTING = "retention"
BATCH = 50_000
PATIENCE = "500ms"
LEAST, MOST = 7, 36_500
PARTITIONS = text("""
select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = to_regclass(:table) order by c.relname""")
REFRESH = text("""
with held as (select id from segments order by id for no key update)
update segments s set stale = true, asks = asks + 1 from held where s.id = held.id""")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of raw data: `over` is true of rows that are to go, `goes` deletes :limit of them.

    A month of a partitioned table that is over as a whole is emptied at once, unless it has a row that `unless` is true
    of; other tables have no `unless`. `usual` is the number of days without a setting, None for ever.
    """

    name: str
    words: str
    table: str
    over: str
    goes: TextClause
    unless: str = ""
    usual: int | None = None

    @property
    def count(self) -> TextClause:
        """How many rows are over."""
        return text(f"select count(*) from {self.table} where {self.over}")


def _kind(
    name: str, words: str, table: str, key: str, over: str, *, unless: str = "", usual: int | None = None
) -> Kind:
    goes = f"delete from {table} where ({key}) in (select {key} from {table} where {over} limit :limit)"
    return Kind(name, words, table, over, text(goes), unless, usual)


# Key and token of a single message stay: a call that is repeated must not send again.
SENDS_OVER = "origin_at < :before and event <> '{}'"
SENDS = text(f"""
update direct_sends set event = '{{}}'
where message_id in (select message_id from direct_sends where {SENDS_OVER} limit :limit)""")
KINDS = {
    kind.name: kind
    for kind in (
        _kind(
            "events", "events of contacts", "events", "message_id, received_at", "received_at < :before",
            unless="false",
        ),
        _kind(
            "hits", "opens and clicks as they came in", "hits", "id, at",
            "at < :before and classification is not null", unless="classification is null",
        ),
        _kind(
            "bounce-mails", "mails that came back and could not be read", "receipt_mails", "id",
            "received_at < :before and error is not null", usual=90,
        ),
        _kind("texts", "texts that people sent", "incoming_texts", "id", "received_at < :before"),
        Kind("sends", "what single messages were filled with", "direct_sends", SENDS_OVER, SENDS),
    )
}  # fmt: skip


def settings(session: Session) -> Mapping[str, int | None]:
    """Days by kind, None for ever."""
    stored = workspace.get(session, SETTING) or {}
    return {name: stored.get(name, kind.usual) for name, kind in KINDS.items()}


def put(session: Session, name: str, days: int | None, by: str, now: dt.datetime) -> None:
    """Keep a kind for so many days, None for ever. Raises NotFound and InvalidInput."""
    find(name)
    if days is not None and not LEAST <= days <= MOST:
        raise InvalidInput(f"{days} days cannot be", where=name, hint=f"From {LEAST} to {MOST:,} days, or for ever.")
    workspace.put(session, SETTING, {**(workspace.get(session, SETTING) or {}), name: days})
    session.add(AuditLog(actor=by, action="retention set", object=name, detail={"days": days}, at=now))


def find(name: str) -> Kind:
    """A kind. Raises NotFound."""
    if name not in KINDS:
        raise NotFound("kind of data", name, f"There are {', '.join(KINDS)}.")
    return KINDS[name]


def due(session: Session, now: dt.datetime) -> dict[str, int]:
    """How many rows are over, by the kinds that are not kept for ever."""
    return {
        name: int(session.execute(KINDS[name].count, {"before": now - dt.timedelta(days=days)}).scalar_one())
        for name, days in settings(session).items()
        if days is not None
    }


def apply(session: Session, now: dt.datetime, limit: int = BATCH) -> dict[str, int]:
    """Let go of what is over: whole months at once, of the rest at most `limit` rows a kind. Counts by kind.

    A month counts as 1. Segments are asked for a refresh when events have gone.
    """
    gone: dict[str, int] = {}
    for name, days in settings(session).items():
        if days is not None:
            before = now - dt.timedelta(days=days)
            months = _months(session, KINDS[name], before) if KINDS[name].unless else 0
            done = session.execute(KINDS[name].goes, {"before": before, "limit": limit})
            gone[name] = months + int(done.rowcount)  # type: ignore[attr-defined]
    if gone.get("events"):
        session.execute(REFRESH)
    return gone


def _months(session: Session, kind: Kind, before: dt.datetime) -> int:
    """Empty the months that are over as a whole. The partition stays, as processes remember which there are."""
    emptied = 0
    for name in session.execute(PARTITIONS, {"table": kind.table}).scalars().all():
        found = re.fullmatch(rf"{kind.table}_(\d{{4}})_(\d{{2}})", name)
        if found is None or _following(int(found[1]), int(found[2])) > before:
            continue
        asked = f"select exists (select from {name}) and not exists (select from {name} where {kind.unless})"
        if session.execute(text(asked)).scalar():
            emptied += _empty(session, name)
    return emptied


def _empty(session: Session, partition: str) -> int:
    """1, or 0 where somebody reads the month for long: it has to wait, as those who come later would wait behind us."""
    try:
        with session.begin_nested():
            session.execute(text(f"set local lock_timeout = '{PATIENCE}'"))
            session.execute(text(f"truncate {partition}"))
            session.execute(text("set local lock_timeout = default"))
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            return 0
        raise
    return 1


def _following(year: int, month: int) -> dt.datetime:
    return dt.datetime(year + month // 12, month % 12 + 1, 1, tzinfo=dt.UTC)
