"""A simulation in the terminal, and as a page."""

from __future__ import annotations

from importlib import resources
from typing import Any

from jinja2 import Environment
from rich.console import Console
from rich.table import Table

from journeys.simulate import Plan
from webapp.cli._console import console as wide

WIDEST = 40
COLUMNS = ("entered", "passed", "timed_out", "messages", "held", "delayed", "skipped")


def show_simulation(plan: Plan, found: dict[str, Any], currency: str) -> None:
    """The totals, a row a step, days and hours as bars, who would have got most, and what is not known."""
    console = wide()
    journey = plan.journey.slug
    console.print(f"[bold]{journey}[/bold] from {plan.start:%Y-%m-%d %H:%M} to {plan.end:%Y-%m-%d %H:%M} UTC")
    console.print(
        f"{found['people']:,} people, {found['entries']:,} entries ({found['holdout']:,} held out), "
        f"{found['messages']:,} messages for {found['cost']} {currency}, "
        f"{found['conversions']:,} conversions worth {found['value']}"
    )
    _line(console, "Entries ended", found["ended"])
    _line(console, "Messages held back", found["withheld"])
    if found["waiting"]:
        console.print(f"At the end {found['waiting']:,} messages wait until quiet hours are over")
    console.print(_steps(found["by_step"]))
    for name, counts in _charts(found):
        if any(counts.values()):
            console.print(_bars(name, counts))
    _line(console, "Most messages", {one["contact"]: one["messages"] for one in found["most_messaged"]})
    console.print("To know:")
    for note in found["notes"]:
        console.print(f"- {note}", markup=False)


def simulation_page(plan: Plan, found: dict[str, Any], currency: str) -> str:
    """The same as one HTML file without scripts, which prints well, in light and dark."""
    template = Environment(autoescape=True).from_string(
        resources.files("webapp.cli").joinpath("simulation.html").read_text("utf-8")
    )
    totals = {name: f"{found[name]:,}" for name in ("people", "entries", "holdout", "messages", "conversions")}
    return template.render(
        journey=plan.journey.slug,
        start=f"{plan.start:%Y-%m-%d %H:%M}",
        end=f"{plan.end:%Y-%m-%d %H:%M}",
        totals=[*totals.items(), ("value", found["value"]), ("cost", f"{found['cost']} {currency}")],
        charts=_charts(found),
        columns=COLUMNS,
        steps=found["by_step"],
        notes=found["notes"],
        lists=[
            ("Entries ended", found["ended"]),
            ("Messages held back", found["withheld"]),
            ("At the end", {"messages that wait for quiet hours to end": n} if (n := found["waiting"]) else {}),
            ("Most messages", {one["contact"]: one["messages"] for one in found["most_messaged"]}),
        ],
    )


def _charts(found: dict[str, Any]) -> list[tuple[str, dict[str, int]]]:
    """Names with numbers by day or hour."""
    put_off = {day: sum(reasons.values()) for day, reasons in found["put_off_by_day"].items()}
    return [
        ("Messages a day", found["by_day"]),
        ("Messages held or dropped, a day", put_off),
        ("Messages by hour of the day, UTC", found["by_hour"]),
    ]


def _line(console: Console, name: str, counts: dict[str, int]) -> None:
    if counts:
        console.print(f"{name}: " + ", ".join(f"{key} {count:,}" for key, count in counts.items()))


def _steps(steps: dict[str, dict[str, Any]]) -> Table:
    table = Table(header_style="bold")
    table.add_column("step", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name.replace("_", " "), justify="right")
    table.add_column("held back, paths")
    for step_id, counts in steps.items():
        more = {**counts["withheld"], **counts["paths"]}
        told = ", ".join(f"{name} {count:,}" for name, count in more.items())
        table.add_row(step_id, *(f"{counts[name]:,}" for name in COLUMNS), told)
    return table


def _bars(name: str, counts: dict[str, int]) -> Table:
    """A bar a row, the longest as wide as there is room for."""
    table = Table(title=name, title_justify="left", show_header=False, box=None)
    most = max(counts.values())
    for key, count in counts.items():
        table.add_row(key, f"{count:,}", "█" * round(count * WIDEST / most))
    return table
