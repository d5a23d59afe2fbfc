"""When time alone may meet a wait: rules such as `… without … within 1 hour` wake their rows at that instant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from engine.expr import evaluate
from engine.facts import Asked, facts_of
from journeys.language.steps import WaitFor
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.entry import Entry


def changes_at(
    session: Session, catalogue: Catalogue, version: Version, step: WaitFor, rows: Sequence[Entry], now: dt.datetime
) -> None:
    """Fill `changes_at` where all rules are false: the first instant at which one may turn true by itself."""
    pending = [row for row in rows if True not in row.truths]
    if not pending:
        return
    rules = [rule.when.node for rule in step.rules]
    ears = version.listening.steps[step.id]
    asked = [Asked(row.id, row.arrived_at or now) for row in pending]
    facts = facts_of(session, catalogue.schema, asked, ears.events, ears.any_event)
    for row in pending:
        instants = [evaluate(rule, facts[row.id], now).changes_at for rule in rules]
        row.changes_at = min((at for at in instants if at is not None), default=None)
