"""Winners of a draft's splits: what one replay of everybody shows decides the next one."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from engine.attribution.convert import revenue
from journeys.decide.winner import Figure, best
from journeys.language.steps import Split
from journeys.simulate.plan import Plan, splits
from journeys.simulate.tally import Tally

Winners = dict[str, tuple[dt.datetime, str]]


def winners(plan: Plan, tally: Tally) -> Winners:
    """By split, when its winner is chosen and which it is; nothing where the shares are kept."""
    found: Winners = {}
    for split in splits(plan.program):
        drawn = tally.drawn.get(split.id)
        if not drawn or split.winner is None:
            continue
        until = split.winner.after.after(min(one.at for one in drawn))
        figures: dict[str, Figure] = defaultdict(lambda: Figure(0, Decimal(0)))
        for arm, at, gains in drawn:
            if at < until:
                entries, gain = figures[arm]
                figures[arm] = Figure(entries + 1, gain + sum(value for when, value in gains if when <= until))
        if (leading := best(figures)) is not None:
            found[split.id] = (until, leading)
    return found


def gains(
    plan: Plan, split: Split, goal_at: dt.datetime | None, events: Iterator[tuple[dt.datetime, str, dict[str, object]]]
) -> tuple[tuple[dt.datetime, Decimal], ...]:
    """What an entry brought by the split's measure. Nobody clicks what was never sent."""
    measure = split.winner.measure if split.winner else "clicks"
    if measure == "goal":
        return ((goal_at, Decimal(1)),) if goal_at is not None else ()
    if measure == "clicks":
        return ()
    earned = ((at, revenue(plan.workspace, name, properties)) for at, name, properties in events)
    return tuple((at, amount) for at, amount in earned if amount is not None)
