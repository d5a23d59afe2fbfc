"""Campaigns side by side: rates of what was sent, and how far two are apart."""

from __future__ import annotations

from dataclasses import dataclass

from engine.campaigns.report import Report
from engine.model import Campaign
from engine.reports.lift import Arm, Interval, lift
from engine.reports.roi import Figures

RATES = ("human_opens", "human_clicks", "unsubscribes", "bounced", "complained")


@dataclass(frozen=True, slots=True)
class Beside:
    """A campaign for a column. `goal` are its contacts, hold-back left out."""

    campaign: Campaign
    figures: Figures
    goal: Arm

    @property
    def per_thousand(self) -> float:
        """Revenue credited per 1,000 messages."""
        return float(self.figures.revenue) * 1000 / self.figures.sent if self.figures.sent else 0.0

    def arm(self, name: str) -> Arm:
        """Messages, and those of which `name` (of RATES) is true."""
        return Arm(self.figures.sent, min(getattr(self.figures, name), self.figures.sent))

    def against(self, first: Beside) -> dict[str, Interval | None]:
        """By rate, this one minus the first as a difference of rates; None without enough data.

        The two had other audiences and days, so that what differs need not be the message.
        """
        both = {name: lift(self.arm(name), first.arm(name)) for name in RATES}
        return {name: found.rate if found.enough else None for name, found in both.items()}


def beside(campaign: Campaign, found: Report) -> Beside:
    """For one column."""
    return Beside(campaign, found.total, found.treated)
