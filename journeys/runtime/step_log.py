"""Lines of the step log that tell of whole entries, of any versions together."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from engine import partitions
from engine.db import copy_rows
from engine.reports import rollup
from journeys.runtime.catalogue import Version

TARGET = "step_log (at, enrolment_id, contact_id, version_id, step_id, visit, outcome, detail)"
TYPES = ("timestamptz", "int8", "int8", "int8", "text", "int2", "text", "jsonb")


class Line(NamedTuple):
    """An entry, and what became of it."""

    version: Version
    enrolment_id: int
    contact_id: int
    outcome: str
    reason: str | None = None


def log(session: Session, lines: Sequence[Line], now: dt.datetime) -> None:
    """Append to the step log, and count."""
    if not lines:
        return
    partitions.ensure(session, "step_log", [now])
    details = {reason: Jsonb({"reason": reason}, dumps=json.dumps) for *_, reason in lines if reason is not None}
    rows = (
        (now, id_, contact_id, version.id, "", 1, outcome, None if reason is None else details[reason])
        for version, id_, contact_id, outcome, reason in lines
    )
    copy_rows(session, TARGET, TYPES, rows)
    counts: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    for line in lines:
        counts[line.version.journey_id]["", line.outcome] += 1
    for journey_id, counted in counts.items():
        rollup.steps(session, journey_id, now.date(), counted)
