"""`webhook` and `notify`: a call or a note is queued, and the entry goes on; with `store` it waits for the response."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from journeys.decide.effects import Deliver
from journeys.decide.values import Needs, Outcome, Row, parked, skipped
from journeys.language.program import Program
from journeys.language.steps import Notify, Webhook

PATIENCE = dt.timedelta(hours=24)
"""How long an entry waits for a response; then it goes on without."""


def needs(program: Program, step: Webhook | Notify) -> Needs:  # noqa: ARG001
    """The `if` rule, and for who waits whether the response is there."""
    return Needs((step.if_,) if step.if_ else (), fate=isinstance(step, Webhook) and bool(step.store))


def decide(program: Program, step: Webhook | Notify, rows: Sequence[Row], now: dt.datetime) -> list[Outcome]:
    """Skip where `if` is false."""
    to = program.following[step.id]
    left_out, settled, begun = skipped(to, step.if_), Outcome("settled", to), _begun(step, to, now)
    outcomes = []
    for row in rows:
        if row.phase != "sending":
            outcomes.append(begun if all(row.truths) else left_out)
        elif row.fate == "under_way" and row.deadline is not None and row.deadline > now:
            outcomes.append(parked("sending", row.deadline, row.deadline))
        else:
            outcomes.append(settled)
    return outcomes


def _begun(step: Webhook | Notify, to: str | None, now: dt.datetime) -> Outcome:
    if isinstance(step, Notify):
        return Outcome("notified", to, effect=Deliver(step.to, template=step.message))
    call = Deliver(step.webhook, store=step.store)
    if not step.store:
        return Outcome("called", to, effect=call)
    until = now + PATIENCE
    return Outcome("called", phase="sending", wake_at=until, deadline=until, effect=call)
