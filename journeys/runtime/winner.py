"""The winner of a split, chosen once a version: by the first who comes by after its time, by what was so at that time.

So nothing has to watch for the instant, and two who come by at once choose the same.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from engine.db import driver
from engine.model import AuditLog
from journeys.decide.winner import Figure, best
from journeys.language.steps import Split
from journeys.runtime.catalogue import Version

READ = "select first_at, decided_at, arm from split_winners where version_id = %s and step_id = %s"
BEGIN = "insert into split_winners (version_id, step_id, first_at) values (%s, %s, %s) on conflict do nothing"
DECIDE = """
update split_winners set arm = %s, decided_at = %s where version_id = %s and step_id = %s and decided_at is null
returning step_id
"""
GAINS = {
    "clicks": """
        exists (select from messages m join hits h on h.message_id = m.id
                where m.origin_at = e.entered_at and m.enrolment_id = e.id and h.kind = 'click'
                    and h.classification = 'human' and h.at <= %(until)s)::int""",
    "goal": "coalesce(e.goal_at <= %(until)s, false)::int",
    "revenue": """
        coalesce((select sum(c.value) from conversions c where c.kind = 'revenue' and c.contact_id = e.contact_id
                  and c.occurred_at > e.trigger_occurred_at and c.occurred_at <= %(until)s), 0)""",
}
FIGURES = """
select e.arms->>%(step_id)s, count(*), sum({gain})::numeric from enrolments e
where e.version_id = %(version_id)s and e.arms ? %(step_id)s group by 1
"""


def winner(session: Session, version: Version, step: Split, now: dt.datetime) -> str | None:
    """The arm that everybody takes who comes by at `now`; None: each their own."""
    assert step.winner is not None
    place = (version.id, step.id)
    known = driver(session).execute(READ, place).fetchone()
    if known is None:
        driver(session).execute(BEGIN, (*place, now))
        return None
    first_at, decided_at, arm = known
    until = step.winner.after.after(first_at)
    if decided_at is not None or now < until:
        return _name(arm)
    values = {"version_id": version.id, "step_id": step.id, "until": until}
    rows = driver(session).execute(FIGURES.format(gain=GAINS[step.winner.measure]), values).fetchall()
    figures = {name: Figure(entries, gain) for name, entries, gain in rows}
    chosen = best(figures)
    if driver(session).execute(DECIDE, (chosen, now, *place)).fetchone() is None:
        _, _, arm = driver(session).execute(READ, place).fetchone() or (None, None, None)
        return _name(arm)  # somebody else was first, perhaps by other figures: theirs is told and holds
    _tell(session, version, step, chosen, figures, now)
    return chosen


def _name(arm: object) -> str | None:
    return str(arm) if arm is not None else None


def _tell(
    session: Session, version: Version, step: Split, arm: str | None, figures: dict[str, Figure], now: dt.datetime
) -> None:
    detail = {
        "split": step.id,
        "winner": arm,
        "arms": {name: {"entries": one.entries, "gain": str(one.gain)} for name, one in sorted(figures.items())},
    }
    name = f"journey {version.program.journey.slug}"
    session.add(AuditLog(actor="cairn", action="choose winner", object=name, detail=detail, at=now))
    session.flush()
