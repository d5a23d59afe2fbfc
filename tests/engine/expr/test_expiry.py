"""Until when verdicts hold, as SQL over many contacts: no verdict changes before, but for a new fact."""

from __future__ import annotations

import datetime as dt
import os

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import DateTime, literal
from sqlalchemy.orm import Session

from engine.db import int_array
from engine.expr import ast, dependencies, evaluate, parse, unparse
from engine.expr.compile_sql.judging import judged, judged_among
from engine.expr.facts import Facts
from engine.expr.schema import Schema
from tests.engine.expr import population, rules

phases = (Phase.explicit, Phase.generate)
relaxed = settings(phases=phases, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
TICK = dt.timedelta(microseconds=1)


def known_at(one: population.Resident, now: dt.datetime) -> Facts:
    """What has happened so far: a later event is a new fact once it occurs."""
    facts = one.at(now)
    events = tuple(event for event in facts.events if event.occurred_at <= now)
    messages = tuple(message for message in facts.messages if message.accepted_at <= now)
    return facts._replace(events=events, messages=messages)


timed = rules.rules.filter(lambda node: dependencies(node).time)
instants = st.sampled_from(population.INSTANTS) | st.just(population.NOW + dt.timedelta(days=40))


@settings(relaxed, max_examples=int(os.environ.get("CAIRN_EXPIRY_EXAMPLES", 60)))
@given(node=timed, now=instants, shares=st.lists(st.floats(0, 0.999), min_size=3, max_size=3))
@example(node=parse('did "A" at least 2 times in the last 2 days'), now=population.INSTANTS[1], shares=[0.5])
@example(node=parse('did "A" exactly 1 time in the last 1 month'), now=population.INSTANTS[1], shares=[0.5])
@example(
    node=parse('did "A" exactly 2 times in the last 3 days or not did "B" in the last 40 days'),
    now=population.NOW,
    shares=[0.5],
)
@example(
    node=parse('did "A" at most 1 time in the last 3 days and never did "B" in the last 9 days'),
    now=population.NOW,
    shares=[0.5],
)
@example(
    node=parse('sum of n over "A" in the last 9 days > 1 or count of n over "B" in the last 2 days < 1'),
    now=population.NOW,
    shares=[0.5],
)
@example(node=parse('did "A" without "B" within 7 days'), now=population.INSTANTS[1], shares=[0.5])
def test_no_verdict_changes_before_it_expires(
    town: Session, residents: list[population.Resident], node: ast.Node, now: dt.datetime, shares: list[float]
) -> None:
    bound, schema = literal(now, DateTime(timezone=True)), Schema()
    with town.begin_nested():
        of_all = {row[0]: row[1:] for row in town.execute(judged(node, schema, bound))}
        ids = {"ids": int_array(one.id for one in residents)}
        ways = [judged_among(node, schema, bound, together=together) for together in (False, True)]
        found = [town.execute(way, ids).one() for way in ways]
    expiries = {id_: at for id_, (_, at) in of_all.items() if at is not None}
    for members, expiring, moments in found:
        assert set(members) == {id_ for id_, (holds, _) in of_all.items() if holds}, unparse(node)
        assert dict(zip(expiring, moments, strict=True)) == expiries, unparse(node)
    for one in residents:
        facts = known_at(one, now)
        holds, expires_at = of_all.get(one.id, (False, None))
        assert holds is evaluate(node, facts, now).value, (unparse(node), one)
        assert expires_at is None or expires_at > now, (unparse(node), one)
        last = (expires_at - TICK) if expires_at is not None else now + dt.timedelta(days=4000)
        span = min(last, now + dt.timedelta(days=4000)) - now
        for share in (*shares, 1.0):
            assert evaluate(node, facts, now + span * share).value is holds, (unparse(node), one, now + span * share)


@settings(relaxed, max_examples=30)
@given(node=rules.leaves.filter(lambda node: dependencies(node).time), now=instants)
def test_who_expires_does_so_by_the_facts_too(
    town: Session, residents: list[population.Resident], node: ast.Node, now: dt.datetime
) -> None:
    """Who waits for nothing is not looked at again."""
    bound = literal(now, DateTime(timezone=True))
    with town.begin_nested():
        rows = town.execute(judged(node, Schema(), bound)).all()
    by_id = {one.id: one for one in residents}
    for id_, _, expires_at in rows:
        if expires_at is not None:
            assert evaluate(node, known_at(by_id[id_], now), now).changes_at is not None, (unparse(node), by_id[id_])
