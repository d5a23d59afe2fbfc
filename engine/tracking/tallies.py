"""How many hits each rule judged, by day: kept in the commits that judge, and recounted from the stored hits (I4)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.tracking.classify import VERSION, Seen, Verdict

# In the order of the key, so that two writers never wait crosswise.
ADD = text("""
insert into hit_rollups as r (day, kind, classification, rule, version, hits)
values (:day, :kind, :classification, :rule, :version, :hits)
on conflict (day, kind, classification, rule, version) do update set hits = r.hits + excluded.hits
""")


class Key(NamedTuple):
    """What hits are counted by: UTC day, open or click, class, rule ('' before rules were kept), and the version."""

    day: dt.date
    kind: str
    classification: str
    rule: str
    version: int


def of(hits: Iterable[Seen], verdicts: Sequence[Verdict]) -> Counter[Key]:
    """Hits that the present rules have judged."""
    pairs = zip(hits, verdicts, strict=True)
    return Counter(key(hit.at, hit.kind, verdict.kind, verdict.rule, VERSION) for hit, verdict in pairs)


def key(at: dt.datetime, kind: str, classification: str, rule: str | None, version: int | None) -> Key:
    """That of a stored hit."""
    return Key(at.astimezone(dt.UTC).date(), kind, classification, rule or "", version or 0)


def add(session: Session, counts: Mapping[Key, int]) -> None:
    """Raise the counters, or lower them. Call it late in a transaction: all who judge hits touch the same few rows."""
    rows = [one._asdict() | {"hits": counts[one]} for one in sorted(counts) if counts[one]]
    if rows:
        session.execute(ADD, rows)
