"""Which variant wins: the first one is the control, and another takes its place only if the data say that it is better.

Better means: both are large enough, and the 95 % interval of the difference to the control lies above zero
(`engine.reports.lift`: Newcombe's interval for rates, Welch's for money). Of several such the best one wins; otherwise,
also where too little is known, the control does.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.campaigns.definition import Definition
from engine.campaigns.report import ArmReport, Report, report
from engine.model import Campaign
from engine.reports.lift import Arm, Interval, lift

STRAGGLERS = 0.1
LOOK = dt.timedelta(minutes=1)
TESTING = text("select exists (select from campaign_waves where campaign_id = :id and test and not done)")
# Hours that were over before the winner was known come the next day, where they come by each contact's clock.
MOVE_ON = text("""
update campaign_waves set at = at + ceil(extract(epoch from cast(:now as timestamptz) - at) / 86400) * interval '1 day'
where campaign_id = :id and not test and not done and at < cast(:now as timestamptz)
""")


@dataclass(frozen=True, slots=True)
class Compared:
    """A variant against the control. `chance`, 0 to 1, that it is better; None without enough data."""

    name: str
    arm: Arm
    value: float
    difference: Interval | None
    enough: bool
    chance: float | None


def choose(session: Session, campaign: Campaign, definition: Definition, now: dt.datetime) -> dt.datetime | None:
    """Decide when the time has come. Returns when that is; None if there is nothing to decide any more, or not yet.

    The wait begins when the test has left, but for a tenth of it: a throttle, a pause or a relay that is away puts the
    decision off. The rest then keeps its hours of the day.
    """
    if definition.winner is None or campaign.winner is not None:
        return None
    assert campaign.winner_at is not None
    if session.execute(TESTING, {"id": campaign.id}).scalar():
        return None  # until all of the test is queued
    found = report(session, campaign)
    if found.waiting > STRAGGLERS * campaign.message_count:
        campaign.winner_at = max(campaign.winner_at, now + definition.winner.after)
        return now + min(definition.winner.after, LOOK)
    if campaign.winner_at > now:
        return campaign.winner_at
    compared = compare(session, campaign, definition)
    campaign.winner = best(compared)
    campaign.winner_note = {
        "by": definition.winner.by,
        "at": now.isoformat(),
        "arms": [as_json(one) for one in compared],
    }
    if (definition.local or definition.best) and definition.passed != "now":
        session.execute(MOVE_ON, {"id": campaign.id, "now": now})
    return None


def compare(session: Session, campaign: Campaign, definition: Definition) -> list[Compared]:
    """The variants, in their order, against the first of them."""
    assert definition.winner is not None
    found = {one.name: one for one in report(session, campaign).arms}
    return compared(
        definition.winner.by, {v.name: arm_of(definition.winner.by, found[v.name]) for v in definition.variants}
    )


def against_control(found: Report, definition: Definition) -> dict[str, list[Compared]]:
    """By what a winner may be chosen by: each variant against the first, as of now. Without a goal none of it.

    After a winner was sent to the rest, opens and clicks are those of different days: they are not compared any more.
    """
    arms = {one.name: one for one in found.arms}
    of_messages = () if found.campaign.winner else ("opens", "clicks")
    wanted = (*of_messages, *(("conversions", "revenue") if definition.goal else ()))
    if len(definition.variants) < 2 or any(one.name not in arms for one in definition.variants):
        return {}
    return {by: compared(by, {v.name: arm_of(by, arms[v.name]) for v in definition.variants}) for by in wanted}


def arm_of(by: str, arm: ArmReport) -> Arm:
    """What is counted: messages clicked or opened of those sent, contacts who met the goal, or money a contact."""
    if by in ("conversions", "revenue"):
        return arm.people
    figures = arm.figures
    return Arm(figures.sent, figures.human_clicks if by == "clicks" else figures.human_opens)


def compared(by: str, arms: Mapping[str, Arm]) -> list[Compared]:
    """Pure: the arms, the control first."""
    money = by == "revenue"
    (control_name, control), *others = arms.items()
    found = [Compared(control_name, control, control.mean if money else control.rate, None, True, None)]
    for name, arm in others:
        both = lift(arm, control)
        difference = both.value if money else both.rate
        chance = chance_above_zero(difference) if both.enough else None
        found.append(Compared(name, arm, arm.mean if money else arm.rate, difference, both.enough, chance))
    return found


def best(compared: Sequence[Compared]) -> str:
    """The name of the winner."""
    control, *others = compared
    better = [one for one in others if one.enough and one.difference is not None and one.difference.low > 0]
    return max(better, key=lambda one: one.value, default=control).name


def chance_above_zero(difference: Interval) -> float | None:
    """The probability that the true difference is above zero, as far as a normal curve through the interval tells."""
    width = (difference.high - difference.low) / (2 * NormalDist().inv_cdf(0.975))
    if not math.isfinite(width):
        return None
    return NormalDist().cdf(difference.estimate / width) if width else float(difference.estimate > 0)


def as_json(one: Compared) -> dict[str, Any]:
    """For the campaign's record."""
    interval = one.difference
    finite = interval is not None and math.isfinite(interval.low) and math.isfinite(interval.high)
    return {
        "name": one.name,
        "contacts": one.arm.contacts,
        "value": one.value,
        "difference": [interval.estimate, interval.low, interval.high] if interval and finite else None,
        "enough": one.enough,
        "chance": one.chance,
    }
