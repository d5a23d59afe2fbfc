"""Counts of people by step, for the journey page and `cairn journeys status`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.orm import Session

WAITING = text("""
select step_id, count(*), count(*) filter (where phase = 'sending') from enrolments
where journey_id = :journey_id and status = 'active' group by step_id
""")
OUTCOMES = text("""
select step_id, outcome, sum(count) from step_rollups where journey_id = :journey_id group by step_id, outcome
""")
MESSAGES = text("""
select step_id, sum(sent), sum(undelivered), sum(human_opens), sum(human_clicks), sum(untracked), sum(conversions)
from message_rollups where journey_id = :journey_id group by step_id
""")
WITHHELD = text("""
select step_id, reason, sum(messages) from withheld_rollups where journey_id = :journey_id group by 1, 2 order by 3 desc
""")
FAILED_CALLS = text("""
select d.step_id, count(*) from deliveries d join enrolments e on e.id = d.enrolment_id
where d.state = 'failed' and e.journey_id = :journey_id group by d.step_id
""")
NOT_FIRST = ("waiting", "held", "settled", "fell_back", "carried")


@dataclass
class StepCounts:
    """`waiting` people are there now, `sending` of them with their message under way; `outcomes` counts the step log;
    `failed_calls` are webhooks and notes that were given up within 90 days; the rest counts messages of the step,
    `withheld` those that the gate dropped by reason."""

    waiting: int = 0
    sending: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    undelivered: int = 0
    human_opens: int = 0
    human_clicks: int = 0
    untracked: int = 0
    conversions: float = 0
    failed_calls: int = 0
    withheld: dict[str, int] = field(default_factory=dict)

    @property
    def tracked(self) -> int:
        """Messages whose opens and clicks can be known."""
        return max(self.sent - self.untracked, 0)

    @property
    def reached(self) -> int:
        """How often the step was reached: who waits for the fate of a message counts by its being queued."""
        first = sum(n for outcome, n in self.outcomes.items() if outcome not in NOT_FIRST)
        return self.waiting - self.sending + first


def step_counts(session: Session, journey_id: int) -> dict[str, StepCounts]:
    """Step id -> counts; '' holds what concerns whole entries: entered, held_out, completed, exited, …"""
    counts: dict[str, StepCounts] = defaultdict(StepCounts)
    for step_id, waiting, sending in session.execute(WAITING, {"journey_id": journey_id}):
        counts[step_id].waiting, counts[step_id].sending = waiting, sending
    for step_id, outcome, count in session.execute(OUTCOMES, {"journey_id": journey_id}):
        counts[step_id].outcomes[outcome] = int(count)
    for step_id, *numbers, conversions in session.execute(MESSAGES, {"journey_id": journey_id}):
        one = counts[step_id]
        one.sent, one.undelivered, one.human_opens, one.human_clicks, one.untracked = map(int, numbers)
        one.conversions = float(conversions)
    for step_id, reason, count in session.execute(WITHHELD, {"journey_id": journey_id}):
        counts[step_id].withheld[reason] = int(count)
    for step_id, count in session.execute(FAILED_CALLS, {"journey_id": journey_id}):
        counts[step_id].failed_calls = int(count)
    return dict(counts)
