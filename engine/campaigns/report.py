"""What a campaign did: figures by variant from the rollups, one query; money in the workspace's currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.campaigns.definition import HOLDOUT
from engine.campaigns.feed import step_of
from engine.model import Campaign
from engine.reports import rollup
from engine.reports.lift import Arm, Lift, lift
from engine.reports.roi import Figures

ARMS = text("""
select a.arm, c.slug, a.contacts, a.conversions, a.value, a.value_squared
from campaign_arms a left join contents c on c.id = a.content_id where a.campaign_id = :id order by a.arm
""")
FIGURES = text(f"""
select step_id, {", ".join(f"sum({name}) as {name}" for name in rollup.METRICS)} from message_rollups
where journey_id = 0 and step_id = any(:steps) group by step_id
""")
# Who was merged after their turn had passed has a wave of the same instant.
WAVES = text("""
select min(wave) as wave, test, at, zone, sum(contacts) as contacts, bool_and(done) as done from campaign_waves
where campaign_id = :id group by test, at, zone order by 1""")
COUNTS = frozenset(each.name for each in fields(Figures) if each.type == "int")


@dataclass(frozen=True, slots=True)
class ArmReport:
    """A variant, or the hold-back group: its contacts with those who met the goal, and what its messages did.

    `people` of a variant in a test are those of the test; who got the winner later is in the arm `rest`, their
    messages are in the figures of the winner.
    """

    name: str
    content: str | None
    people: Arm
    figures: Figures


@dataclass(frozen=True, slots=True)
class Report:
    """`lift` compares everybody who was to get it with the hold-back; None without one."""

    campaign: Campaign
    arms: tuple[ArmReport, ...]
    total: Figures
    treated: Arm
    holdout: Arm | None
    lift: Lift | None

    @property
    def waiting(self) -> int:
        """Messages that are queued or just being sent."""
        return max(0, self.campaign.message_count - self.total.sent - self.total.undelivered)

    @property
    def ahead(self) -> int:
        """Contacts whose message is not queued yet."""
        held = self.holdout.contacts if self.holdout else 0
        return max(0, self.campaign.audience_count - held - self.campaign.message_count)


def report(session: Session, campaign: Campaign) -> Report:
    """The figures as of now."""
    rows = session.execute(ARMS, {"id": campaign.id}).all()
    figures = figures_of(session, campaign.id, [row.arm for row in rows])
    arms = tuple(
        ArmReport(row.arm, row.slug, _arm(row), figures.get(row.arm, Figures())) for row in rows if row.arm != HOLDOUT
    )
    holdout = next((_arm(row) for row in rows if row.arm == HOLDOUT), None)
    treated = _sum([one.people for one in arms])
    total = sum((one.figures for one in arms), Figures())
    return Report(campaign, arms, total, treated, holdout, lift(treated, holdout) if holdout else None)


def waves(session: Session, campaign_id: int) -> Sequence[Any]:
    """When it reaches whom."""
    return session.execute(WAVES, {"id": campaign_id}).all()


def figures_of(session: Session, campaign_id: int, arms: Sequence[str]) -> dict[str, Figures]:
    """What the messages of each arm did."""
    of_step = {step_of(campaign_id, arm): arm for arm in arms}
    rows = session.execute(FIGURES, {"steps": list(of_step)}).all()
    return {of_step[row.step_id]: _figures(row) for row in rows}


def _figures(row: Any) -> Figures:
    values: dict[str, Any] = {name: getattr(row, name) for name in rollup.METRICS}
    whole = {name: int(value) for name, value in values.items() if name in COUNTS}
    return Figures(**values | whole)


def _arm(row: Any) -> Arm:
    return Arm(int(row.contacts), int(row.conversions), float(row.value), float(row.value_squared))


def _sum(arms: Sequence[Arm]) -> Arm:
    return Arm(
        sum(one.contacts for one in arms),
        sum(one.conversions for one in arms),
        sum(one.value for one in arms),
        sum(one.value_squared for one in arms),
    )
