"""What happened in the entries of a contact into a journey, and what those that are open wait for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.expr.explain import explain
from engine.expr.facts import Facts
from engine.facts import Asked, facts_of
from engine.habits import store
from engine.habits.estimate import slot_of
from engine.signing import Signer
from engine.zones import zones_of
from journeys.explain.gates import messages
from journeys.explain.values import CallStory, Entry, Rule, StepStory, Waiting
from journeys.language.program import Program
from journeys.language.steps import Branch, Email, Notify, RuleText, Sms, WaitFor, Webhook
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.listening import ears

ENTRIES = text("""
select e.*, v.number from enrolments e join journey_versions v on v.id = e.version_id
where e.journey_id = :journey_id and e.contact_id = :contact_id order by e.id desc limit :limit
""")
LOG = text(
    "select at, step_id, visit, outcome, detail from step_log where enrolment_id = :id order by at, id limit 2000"
)
CALLS = text("""
select step_id, visit, coalesce(nullif(endpoint, ''), address), state, attempts, status, error, created_at, ended_at,
    case when state = 'pending' then next_at end
from deliveries where enrolment_id = :id order by id limit 2000
""")
ZONE = text("select timezone from contacts where id = :id")
DECIDED = frozenset({"branched", "skipped", "queued", "called", "notified", "held"})
"""Outcomes of steps whose rules were asked."""
MOST = 20


def entries(
    session: Session, catalogue: Catalogue, journey_id: int, contact_id: int, signer: Signer, now: dt.datetime
) -> tuple[Entry, ...]:
    """The latest entries, oldest first."""
    values = {"journey_id": journey_id, "contact_id": contact_id, "limit": MOST}
    rows = session.execute(ENTRIES, values).all()
    return tuple(_entry(session, catalogue, row, signer, now) for row in reversed(rows))


def _entry(session: Session, catalogue: Catalogue, row: Any, signer: Signer, now: dt.datetime) -> Entry:
    version = catalogue.version(session, row.version_id)
    trigger = {"message_id": row.trigger_message_id, "occurred_at": row.trigger_occurred_at, "event": row.trigger_event}
    return Entry(
        row.number, row.status, row.reason, row.entered_at, row.ended_at, row.goal_at, row.held_out, row.arms, trigger,
        tuple(_steps(session, catalogue, version, row, now)),
        messages(session, row.id, row.entered_at, catalogue.workspace, signer, now),
        tuple(CallStory(*call) for call in session.execute(CALLS, {"id": row.id})),
        _waiting(version, row) if row.status == "active" else None,
        tuple(_rules(session, catalogue, version, row, now)),
    )  # fmt: skip


def _steps(session: Session, catalogue: Catalogue, version: Version, row: Any, now: dt.datetime) -> Iterator[StepStory]:
    lines = session.execute(LOG, {"id": row.id}).all()
    asked = {line.step_id: asked_by(version.program, line.step_id) for line in lines if line.outcome in DECIDED}
    facts = _facts(session, catalogue, row, [rule for rules in asked.values() for _, rule in rules])
    for at, step_id, visit, outcome, detail in lines:
        rules = asked[step_id] if outcome in DECIDED else ()
        seen: tuple[Rule, ...] = ()
        if facts is not None and rules:
            then = facts._replace(step_since=at)
            seen = tuple(Rule(what, explain(rule.node, then, now)) for what, rule in rules)
        if detail and "best_hour" in detail:
            detail = detail | _opened(session, catalogue, row.contact_id, detail)
        if outcome == "held_out":
            detail = {"share": f"{float(version.program.journey.holdout * 100):g}%"}
        yield StepStory(at, step_id, _kind(version, step_id), visit, outcome, detail, seen)


def _opened(session: Session, catalogue: Catalogue, contact_id: int, detail: dict[str, Any]) -> dict[str, int]:
    """How many messages were opened near the hour that was chosen, and in all, by whose history chose it; as of now."""
    by = contact_id if detail["best_hour"] == "own" else store.EVERYBODY
    counts = store.counts_of(session, [contact_id]).get(by, {})
    named = session.execute(ZONE, {"id": contact_id}).scalar()
    zone = zones_of(named, None, catalogue.workspace.zone)[0]
    hour = slot_of(dt.datetime.fromisoformat(detail["until"]), zone) % 24
    near = {(hour + distance) % 24 for distance in (-1, 0, 1)}
    then = sum(number for slot, number in counts.items() if slot % 24 in near)
    return {"opened_then": then, "opened_in_all": sum(counts.values())}


def asked_by(program: Program, step_id: str) -> tuple[tuple[str, RuleText], ...]:
    """The rules that a step asks of who arrives, each with what it is called: its `if`, or those of its paths."""
    step = program.steps.get(step_id)
    if isinstance(step, Branch):
        return tuple((f"path {path.name}", path.when) for path in step.paths if path.when is not None)
    if isinstance(step, Email | Sms):
        rule = program.sends[step_id].if_
    else:
        rule = step.if_ if isinstance(step, Webhook | Notify) else None
    return (("if", rule),) if rule is not None else ()


def _facts(session: Session, catalogue: Catalogue, row: Any, rules: Sequence[RuleText]) -> Facts | None:
    """What `rules` look at, as it is now; None if there are none."""
    if not rules:
        return None
    heard = ears(list(rules), catalogue.schema.aliases)
    asked = [Asked(row.id, row.arrived_at or row.entered_at)]
    return facts_of(session, catalogue.schema, asked, heard.events, heard.any_event)[row.id]


def _kind(version: Version, step_id: str) -> str:
    step = version.program.steps.get(step_id)
    return step.kind if step is not None else ""


def _waiting(version: Version, row: Any) -> Waiting:
    kind = _kind(version, row.step_id)
    return Waiting(row.step_id, kind, row.phase, row.arrived_at, row.wake_at, row.deadline)


def _rules(session: Session, catalogue: Catalogue, version: Version, row: Any, now: dt.datetime) -> Iterator[Rule]:
    """The rules that may still meet the wait, end the entry or count its goal, with what they see now."""
    found: list[tuple[str, RuleText]] = []
    step = version.program.steps.get(row.step_id or "")
    if row.status == "active" and isinstance(step, WaitFor):
        found += [("wait", rule.when) for rule in step.rules]
    if row.status in ("active", "held_out"):
        found += [("exit", rule) for rule in version.program.journey.exits]
    goal = version.program.journey.goal
    if goal is not None and row.goal_at is None and row.goal_until is not None and row.goal_until >= now:
        found.append(("goal", goal.when))
    facts = _facts(session, catalogue, row, [rule for _, rule in found])
    if facts is not None:
        yield from (Rule(what, explain(rule.node, facts, now)) for what, rule in found)
