"""Whatever is edited and chosen, publishing loses nobody: random journeys, people in them, edits and choices.

Right after each publish everybody stands where the choice for their step says; in the end everybody has come to an end.
`CAIRN_VERSIONS_EXAMPLES=300` tries more, new ones in each run.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import Counter
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from engine import clock
from engine.content import store
from journeys.language.choice import Choice, choice_of
from journeys.language.difference import Difference, difference
from journeys.language.parse import parse
from journeys.language.program import program
from journeys.language.steps import Journey
from journeys.publish import publish
from tests import invariants
from tests.journeys.runtime.world import DAY, HOUR, MAIL, START, World
from tests.model.site import TABLES

LONG = int(os.environ.get("CAIRN_VERSIONS_EXAMPLES", "0"))
FEW = settings(max_examples=LONG or 25, derandomize=not LONG, deadline=None, suppress_health_check=list(HealthCheck))
PROFILE = settings(FEW, phases=FEW.phases if LONG else (Phase.explicit, Phase.generate), print_blob=True)
IDS = tuple(f"s{n}" for n in range(9))
EVENTS = ("A", "B")
SPANS = (dt.timedelta(), HOUR, 7 * HOUR, DAY)
Json = dict[str, Any]


class Row(NamedTuple):
    """An enrolment as it is stored."""

    id: int
    contact_id: int
    number: int
    status: str
    step_id: str
    phase: str | None
    wake_at: dt.datetime | None
    deadline: dt.datetime | None
    visit: int


def a_step(dice: Random, ids: list[str], depth: int) -> Json:
    """A step of any kind, with steps inside while there are ids left."""
    step: Json = {"id": ids.pop(dice.randint(0, len(ids) - 1))}
    kinds = ["email", "email", "wait", "wait_for", "wait_for", "set"] + ["branch", "split", "repeat"] * (depth < 2)
    kind = dice.choice(kinds)
    if kind == "email":
        options: dict[str, Json] = {"none": {}, "at": {"at": "20:00"}, "quiet": {"quiet": "09:00-11:30"}}
        chosen = dice.choice([*options, "fallback"])
        fallback = some_steps(dice, ids, 2) if chosen == "fallback" else []
        return {"email": "mail"} | step | options.get(chosen, {"fallback": fallback} if fallback else {})
    if kind == "wait":
        waits = ["1 day", "5 hours", "1 month", "until 09:30", "until 1 day before due"]
        return {"wait": dice.choice(waits)} | step
    if kind == "set":
        return {"set": {"seen": True}} | step
    inside = some_steps(dice, ids, depth + 1)
    if kind == "wait_for":
        rule = f'did "{dice.choice(EVENTS)}"{dice.choice(["", " since step"])}'
        until = dice.choice(["6 hours", "2 days", "1 day before due"])
        return {"wait_for": rule, "up_to": until, "timeout": inside} | step
    if kind == "branch":
        return {"branch": "x", "paths": [{"when": 'did "A"', "do": inside}]} | step
    if kind == "repeat" and inside:
        return {"repeat": "2 times", "do": inside} | step
    shares = dice.choice(["50%", "20%"])
    rest = {"50%": "50%", "20%": "80%"}[shares]
    return {"split": "x", "paths": [{"share": shares, "do": inside}, {"share": rest}]} | step


def some_steps(dice: Random, ids: list[str], depth: int) -> list[Json]:
    """Up to three steps, as far as there are ids."""
    return [a_step(dice, ids, depth) for _ in range(dice.randint(0, 3)) if ids]


def a_text(dice: Random) -> str:
    """A journey whose steps take their ids from a few, so that two of them share some."""
    ids = list(IDS)
    steps = [a_step(dice, ids, 0) for _ in range(dice.randint(1, 4)) if ids]
    gone = dice.sample(ids, dice.randint(0, min(2, len(ids))))
    there = sorted(set(IDS) - set(ids))
    body: Json = {"journey": "j", "enter": {"on": "Go", "again": "per event.n"}, "steps": steps}
    body["moved"] = [{"from": source, "to": dice.choice(there)} for source in gone]
    if dice.random() < 0.5:
        body["exit"] = ["left is true"]
    if dice.random() < 0.5:
        body["goal"] = {"when": 'did "Paid"', "within": dice.choice(["3 days", "30 days"])}
    return json.dumps(body, indent=1) + "\n"


def rows(world: World) -> list[Row]:
    """All enrolments."""
    found = world.execute(
        "select e.id, e.contact_id, v.number, e.status, e.step_id, e.phase, e.wake_at, e.deadline, e.visit \
        from enrolments e join journey_versions v on v.id = e.version_id order by e.id"
    )
    return [Row(*row) for row in found]


def reset(world: World) -> None:
    """Nobody is known and nothing is published; the clock stands at START."""
    with world.database.transaction() as session:
        kept = "alembic_version, contents, content_versions"
        session.execute(text(f"truncate {session.execute(TABLES, {'kept': kept}).scalar()}"))
        session.execute(text("select setval(pg_get_serial_sequence('contacts', 'id'), 1, false)"))  # splits hash it
        clock.set_virtual(session, START)
    world.receiver.messages.clear()


def holds(world: World) -> None:
    """I1 to I5."""
    accepted = Counter(invariants.token_of(raw) for _, raw in world.receiver.messages)
    with world.database.transaction() as session:
        assert invariants.violations(session, accepted) == []


def happen(world: World, dice: Random, people: list[int]) -> None:
    """Some time passes; some people enter, act, or leave."""
    for person in people:
        name = dice.choice(["", "", "Go", "A", "B", "Paid", "left"])
        if name == "left":
            world.change(person, left=True)
        elif name:
            world.event(person, name, n=dice.randint(0, 2))
    world.live(dice.choice(SPANS))


def ends_the_pause(world: World) -> None:
    """Publishing would, and wake who waits; here that would hide where the choice puts them."""
    if world.execute("select from journeys where state = 'paused'"):
        world.state("j", "live")


def published(world: World, dice: Random, source: str) -> None:
    """Publish with a choice for some of the steps at which people are, and hold each row against it."""
    before, old = (
        rows(world),
        {n: parse(one) for n, one in world.execute("select number, source from journey_versions")},
    )
    edits = {number: difference(one, parse(source)) for number, one in old.items()}
    wishes = {step_id: a_choice(dice, source) for step_id in IDS}
    choices = {
        row.step_id: wish
        for row in before
        if row.status == "active" and (wish := wishes[row.step_id]) is not None
        if wish.what != "reschedule" or row.step_id in edits[row.number].targets
    }
    with world.database.transaction() as session:
        number = publish(session, source, clock.now(session), "test", choices).version.number
    after = rows(world)
    assert [row[:2] for row in after] == [row[:2] for row in before]
    for was, now in zip(before, after, strict=True):
        stands_as_chosen(was, now, number, parse(source), edits[was.number], choices)
    holds(world)


def a_choice(dice: Random, source: str) -> Choice | None:
    """Any choice for a step, or none."""
    there = list(program(parse(source)).steps)
    move, along = Choice("move", dice.choice(there)), Choice("reschedule")
    return dice.choice([None, Choice("stay"), Choice("exit"), move, move, move, along, along, along])


def stands_as_chosen(
    was: Row, now: Row, number: int, text: Journey, edit: Difference, choices: dict[str, Choice]
) -> None:
    """What the choice says of a row, and what holds of any."""
    choice = choice_of(was.step_id, edit.targets, choices)
    if was.status != "active" or choice.what == "stay":
        assert now == was
    elif choice.what == "exit":
        assert (now.status, now.wake_at, now.phase) == ("exited", None, None)
    elif choice.what == "move":
        assert (now.number, now.status, now.step_id, now.phase) == (number, "active", choice.to, "ready")
        again = was.step_id == now.step_id and program(text).steps[now.step_id].kind != "split"  # it was none then
        assert now.visit >= (was.visit + 1 if again else 1)
    elif was.phase == "sending" or was.number == number:
        assert now == was
    else:
        target = edit.targets[was.step_id]
        assert (now.number, now.status, now.step_id, now.visit) == (number, "active", target, was.visit)
        change = edit.steps.get(was.step_id)
        if change is None or not change.fields:
            assert (now.phase, now.wake_at, now.deadline) == (was.phase, was.wake_at, was.deadline)
    if now.status == "active" and now.number == number:
        kind = program(text).steps[now.step_id].kind
        assert now.wake_at is not None
        assert now.phase in {"wait": ("ready", "waiting"), "wait_for": ("ready", "waiting"), "email": PHASES}.get(
            kind, ("ready",)
        )


PHASES = ("ready", "held", "sending")


@PROFILE
@given(dice=st.randoms(use_true_random=True))
def everything_holds(world: World, dice: Random) -> None:
    reset(world)
    published(world, dice, a_text(dice))
    people = [world.contact(due=(START + n * DAY).isoformat()) if n else world.contact() for n in range(4)]
    for person in people:
        world.event(person, "Go", n=0)
    for _ in range(dice.randint(1, 3)):
        happen(world, dice, people)
        if dice.random() < 0.5:
            world.state("j", dice.choice(["paused", "draining"]))
            happen(world, dice, people)
        ends_the_pause(world)
        published(world, dice, a_text(dice))
        if dice.random() < 0.5:
            world.state("j", "live")
    if dice.randint(0, 3) == 0:
        world.state("j", "stopped")
    ends_the_pause(world)
    world.live(400 * DAY)
    holds(world)
    with world.database.transaction() as session:
        assert invariants.quiet(session, clock.now(session)) == []
    assert {row.status for row in rows(world)} <= {"completed", "exited", "converted", "stopped"}


@pytest.mark.timeout(0 if LONG else 600)
def test_publishing_loses_nobody_and_has_nobody_in_two_places(world: World) -> None:
    world.receiver.keep = True
    with world.database.transaction() as session:
        store.save(session, MAIL, "mail", "email", START)
        invariants.watch(session)
    try:
        everything_holds(world)
    finally:
        world.receiver.keep = False
