"""Take rows through steps until each is parked or at its end. Rows that go the same way go together, as a party."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from journeys.decide import Effect, Outcome, decide, needs
from journeys.decide.values import NO_VISITS, Visits
from journeys.language.program import Program
from journeys.language.steps import Split, Step, WaitFor, Webhook
from journeys.runtime import ask, effects
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.entry import Entry
from journeys.runtime.fate import answered, fates
from journeys.runtime.waiting import changes_at
from journeys.runtime.winner import winner

MOST_STEPS = 1000


class Ended(NamedTuple):
    """An entry that is over."""

    status: str
    reason: str | None = None


TIRED = Ended("failed", f"took {MOST_STEPS} steps in one entry")


class Passage(NamedTuple):
    """What happened at a step, at which visit of it."""

    step_id: str
    outcome: Outcome
    visit: int


@dataclass(frozen=True, slots=True, eq=False)
class Party:
    """Rows that have gone the same way in this run and stand at the same step in the same phase, for the same time.

    `log` is what happened to all of them, in order. `arrived`: they reached the step in this run. `stays` is None while
    they are on their way; in the end it is where they are parked, or how they ended.
    """

    rows: Sequence[Entry]
    step_id: str
    phase: str
    log: tuple[Passage, ...] = ()
    arrived: bool = False
    stays: Outcome | Ended | None = None
    visit: int = 1
    visits: Visits = field(default_factory=lambda: NO_VISITS)

    @property
    def taken(self) -> int:
        """How many steps are behind them."""
        return sum(passage.outcome.phase is None for passage in self.log)


class Walk(NamedTuple):
    """What a party of one is in the end, without its rows."""

    phase: str
    log: tuple[Passage, ...]
    arrived: bool
    stays: Outcome | Ended
    visit: int
    visits: Visits
    taken: int


Answer = Callable[[str, Step, Sequence[Entry]], None]
Apply = Callable[[str, Effect, Sequence[Entry]], None]


def run(
    session: Session, catalogue: Catalogue, version: Version, rows: Sequence[Entry], now: dt.datetime
) -> list[Party]:
    """Move `rows`, all of `version` and locked, as far as they go at `now`. Nothing is written but what steps do."""

    def answer(step_id: str, step: Step, at_step: Sequence[Entry]) -> None:
        wanted = needs(version.program, step)
        if wanted.rules or wanted.dates or wanted.zone:
            ask.answer(session, catalogue, version, step_id, wanted, at_step, now)
        if wanted.fate:
            asked = answered if isinstance(step, Webhook) else fates
            asked(session, [row for row in at_step if row.phase == "sending"])
        if wanted.winner:
            assert isinstance(step, Split)
            arm = winner(session, version, step, now)
            for row in at_step:
                row.winner = arm
        if isinstance(step, WaitFor) and version.listening.steps[step_id].time:
            changes_at(session, catalogue, version, step, at_step, now)

    def apply(step_id: str, effect: Effect, at_step: Sequence[Entry]) -> None:
        effects.apply(effects.Place(session, catalogue, version, step_id, now), effect, at_step)

    return move(version.program, rows, now, answer, apply)


def move(program: Program, rows: Sequence[Entry], now: dt.datetime, answer: Answer, apply: Apply) -> list[Party]:
    """The waves themselves: all rows at one step are answered and decided at once, then go on together.

    What a step does is done before the rows go on, so that later steps see it.
    """
    waves = _gather(program, rows)
    done: list[Party] = []
    while waves:
        step_id, parties = waves.popitem()
        step = program.steps[step_id]
        at_step = [row for party in parties for row in party.rows]
        answer(step_id, step, at_step)
        decided = [
            (party, outcome, together)
            for party in parties
            for outcome, together in _by_outcome(party.rows, decide(program, step, party.rows, now))
        ]
        for effect, rows_of_it in _by_effect(decided):
            apply(step_id, effect, rows_of_it)
        for party, outcome, together in decided:
            for following in _take(program, party, together, outcome, now):
                (waves[following.step_id] if following.stays is None else done).append(following)
    return done


def _gather(program: Program, rows: Sequence[Entry]) -> dict[str, list[Party]]:
    """Parties by the step at which they stand."""
    standing: dict[tuple[Any, ...], list[Entry]] = defaultdict(list)
    for row in rows:
        known = tuple(sorted(row.visits.items())) if row.visits else ()
        standing[row.step_id, row.phase, row.visit, known].append(row)
    waves: dict[str, list[Party]] = defaultdict(list)
    for (step_id, phase, visit, known), together in standing.items():
        visits: Visits = {**dict(known), step_id: visit} if known or step_id in program.looping else NO_VISITS
        waves[step_id].append(Party(together, step_id, phase, arrived=phase == "ready", visit=visit, visits=visits))
    return waves


def _arrive(program: Program, visits: Visits, step_id: str) -> tuple[int, Visits]:
    """The visit that an arrival at a step is, and the visits from then on.

    Steps outside a loop are reached once, unless the entry was put back to a former step: then it knows its visits.
    """
    if not visits and step_id not in program.looping:
        return 1, visits
    visit = visits.get(step_id, 0) + 1
    return visit, {**visits, step_id: visit}


def _by_outcome(rows: Sequence[Entry], outcomes: Sequence[Outcome]) -> list[tuple[Outcome, Sequence[Entry]]]:
    """Decisions give the same object to many rows, so that identity is enough to tell outcomes apart."""
    distinct = dict(zip(map(id, outcomes), outcomes, strict=True))
    if len(distinct) == 1:
        return [(outcomes[0], rows)]
    together: dict[int, list[Entry]] = {key: [] for key in distinct}
    for row, outcome in zip(rows, outcomes, strict=True):
        together[id(outcome)].append(row)
    return [(outcome, together[key]) for key, outcome in distinct.items()]


def _by_effect(decided: Sequence[tuple[Party, Outcome, Sequence[Entry]]]) -> list[tuple[Effect, list[Entry]]]:
    """What has to be done, each thing once with everybody whom it is done to."""
    found: list[tuple[Effect, list[Entry]]] = []
    for _, outcome, rows in decided:
        if outcome.effect is None:
            continue
        same = next((together for effect, together in found if effect == outcome.effect), None)
        if same is None:
            found.append((outcome.effect, list(rows)))
        else:
            same += rows
    return found


def move_one(program: Program, row: Entry, now: dt.datetime, answer: Answer, apply: Apply) -> Walk:
    """`move` for one row, which needs no parties on the way: the same steps, the same log, the same end."""
    rows = (row,)
    step_id, phase, visit, arrived = row.step_id, row.phase, row.visit, row.phase == "ready"
    visits: Visits = {**row.visits, step_id: visit} if row.visits or step_id in program.looping else NO_VISITS
    log: list[Passage] = []
    taken, before = row.taken, row.taken
    while True:
        step = program.steps[step_id]
        answer(step_id, step, rows)
        (outcome,) = decide(program, step, rows, now)
        if outcome.effect is not None:
            apply(step_id, outcome.effect, rows)
        if outcome.phase != phase:
            log.append(Passage(step_id, outcome, visit))
        if outcome.phase is not None:
            return Walk(outcome.phase, tuple(log), arrived, outcome, visit, visits, taken - before)
        taken += 1
        if outcome.to is None or taken >= MOST_STEPS:
            ended = _at_the_end(program, step_id) if outcome.to is None else TIRED
            return Walk(phase, tuple(log), arrived, ended, visit, visits, taken - before)
        step_id, phase, arrived = outcome.to, "ready", True
        visit, visits = _arrive(program, visits, step_id)
        _stand(row, step_id, now, visit)


def _at_the_end(program: Program, step_id: str) -> Ended:
    """How an entry ends that has no step after this one."""
    return Ended("exited" if step_id in program.leaves else "completed", step_id)


def _stand(row: Entry, step_id: str, now: dt.datetime, visit: int) -> None:
    """The row has come to a step. What it answered to the one before is forgotten."""
    row.step_id, row.phase, row.deadline, row.arrived_at, row.visit = step_id, "ready", None, now, visit
    row.truths, row.dates, row.changes_at, row.winner = (), (), None, None


def _take(program: Program, party: Party, rows: Sequence[Entry], outcome: Outcome, now: dt.datetime) -> Iterator[Party]:
    """The parties that `rows` of `party` become by `outcome`. One that stays in its phase has nothing to log."""
    step_id = party.step_id
    log = party.log if outcome.phase == party.phase else (*party.log, Passage(step_id, outcome, party.visit))

    def here(rows: Sequence[Entry], phase: str, stays: Outcome | Ended) -> Party:
        return Party(rows, step_id, phase, log, party.arrived, stays, party.visit, party.visits)

    if outcome.phase is not None:
        yield here(rows, outcome.phase, outcome)
    elif outcome.to is None:
        yield here(rows, party.phase, _at_the_end(program, step_id))
    else:
        visit, visits = _arrive(program, party.visits, outcome.to)
        further = Party(rows, outcome.to, "ready", log, True, None, visit, visits)
        room = MOST_STEPS - further.taken
        if tired := [row for row in rows if row.taken >= room]:
            yield here(tired, party.phase, TIRED)
            further = replace(further, rows=[row for row in rows if row.taken < room])
        for row in further.rows:
            _stand(row, outcome.to, now, visit)
        if further.rows:
            yield further
