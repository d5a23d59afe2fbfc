"""The ROI report as a table for the terminal."""

from __future__ import annotations

from decimal import Decimal

from rich import box
from rich.console import Console
from rich.table import Table

from engine.reports.roi import ArmRoi, Figures, JourneyRoi, RoiReport

NUMBERS = ("sent", "opens", "clicks", "conv.", "revenue", "cost", "ROI", "lift, 95 %")


NARROWEST = 112


def terminal() -> Console:
    """A console on which the table fits; a pipe has no width of its own."""
    console = Console()
    return Console(width=max(console.width, NARROWEST))


def roi_table(found: RoiReport) -> Table:
    """A line a journey, its steps and its split arms below it, and the total."""
    title = f"Return on investment ({found.currency})"
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("journey / step", no_wrap=True)
    for name in NUMBERS:
        table.add_column(name, justify="right", no_wrap=True)
    for journey in found.journeys:
        _journey(table, journey)
    table.add_row("total", *_figures(found.total), "", style="bold")
    return table


def _journey(table: Table, journey: JourneyRoi) -> None:
    table.add_row(journey.slug, *_figures(journey.figures), _lift(journey.whole), style="bold")
    for step in journey.steps:
        table.add_row(f"  {step.step_id} [dim]{step.channel}[/dim]", *_figures(step.figures), "")
    for arm in journey.arms:
        rate = f"{arm.treated.conversions}/{arm.treated.contacts}"
        table.add_row(f"  [dim]{arm.split_id}:[/dim] {arm.arm}", "", "", "", rate, "", "", "", _lift(arm))
    if journey.holdout is not None:
        rate = f"{journey.holdout.conversions}/{journey.holdout.contacts}"
        table.add_row("  [dim]holdout[/dim]", "", "", "", rate, "", "", "", "")
    table.add_section()


def _figures(figures: Figures) -> tuple[str, ...]:
    return (
        f"{figures.sent:,}",
        f"{figures.human_opens:,}",
        f"{figures.human_clicks:,}",
        f"{figures.conversions:,.0f}",
        f"{figures.revenue:,.2f}",
        f"{figures.cost:,.2f}",
        _percent(figures.roi),
    )


def _percent(value: Decimal | None) -> str:
    """Above ten times the stake, how many times it is reads better than a percentage."""
    if value is None:
        return "–"
    return f"{value:,.0f} ×" if value >= 10 else f"{value * 100:,.0f} %"


def _lift(arm: ArmRoi) -> str:
    if arm.lift is None:
        return "no holdout"
    if not arm.lift.enough:
        return "not enough data"
    rate = arm.lift.rate
    return f"{rate.estimate * 100:+.1f} pt ({rate.low * 100:+.1f} … {rate.high * 100:+.1f})"
