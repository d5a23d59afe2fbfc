"""`cairn journeys`: journey files against this workspace."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, workspace
from engine.contacts.find import find
from engine.errors import LanguageError, NotFound
from engine.model import Journey, JourneyVersion
from engine.signing import signer
from journeys import publish as publishing
from journeys.explain import as_json as story_as_json
from journeys.explain import explain_journey
from journeys.language.format import fmt as layout
from journeys.language.json_schema import journey_schema
from journeys.language.naming import with_ids
from journeys.language.parse import parse
from journeys.language.problems import Problem
from journeys.language.program import walk
from journeys.plan import named
from journeys.runtime.numbers import StepCounts, step_counts
from journeys.simulate import as_json as as_json_
from journeys.simulate import notes
from journeys.simulate.testing import run_tests
from webapp.cli._console import console
from webapp.cli._context import connected
from webapp.cli._entering import enter, remove
from webapp.cli._explaining import show_story
from webapp.cli._files import read_text, tell, tell_error
from webapp.cli._library import library
from webapp.cli._simulation import show_simulation, simulation_page
from webapp.cli._versions import COMMANDS
from workers import simulate as simulating

INSTANT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


@click.group()
def command() -> None:
    """Journeys: check, publish and watch them."""


command.add_command(library)
command.add_command(enter)
command.add_command(remove)


@command.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
def lint(files: tuple[Path, ...]) -> None:
    """Check journey files, which may name each other; exit code 1 if one has an error. Nothing is saved."""
    failed, texts = False, {file: read_text(file) for file in files}
    with connected() as database, database.transaction() as session:
        for file, text in texts.items():
            found = publishing.check(session, text, named(texts.values()))
            _show(file, found)
            failed = failed or any(problem.severity == "error" for problem in found)
            if not found:
                click.echo(f"{file}: ok")
    sys.exit(1 if failed else 0)


@command.command()
@click.argument("files", type=click.Path(exists=True, dir_okay=False, writable=True, path_type=Path), nargs=-1)
def fmt(files: tuple[Path, ...]) -> None:
    """Lay journey files out, and give an id to every step that has none. Comments stay where they are."""
    failed = False
    for file in files:
        before = read_text(file)
        try:
            after = layout(with_ids(before))
        except LanguageError as error:
            tell_error(file, error)
            failed = True
            continue
        if after != before:
            file.write_text(after, encoding="utf-8")
        click.echo(f"{file}: {'laid out' if after != before else 'as it was'}")
    sys.exit(1 if failed else 0)


@command.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
def publish(files: tuple[Path, ...]) -> None:
    """Freeze journey files as live versions. A file with an error is refused and nothing of it is saved."""
    failed = False
    with connected() as database:
        for file in files:
            try:
                with database.transaction() as session:
                    done = publishing.publish(session, read_text(file), clock.now(session), getpass.getuser())
            except publishing.Refused as refused:
                _show(file, refused.problems)
                failed = True
                continue
            _show(file, done.warnings)
            click.echo(_published(done))
    sys.exit(1 if failed else 0)


@command.command()
def schema() -> None:
    """Print the JSON Schema of journey files, for editors."""
    click.echo(json.dumps(journey_schema(), indent=1))


@command.command("test")
@click.argument("files", type=FILE, nargs=-1, required=True)
def test_(files: tuple[Path, ...]) -> None:
    """Run the tests that journey files carry; exit code 1 if one fails. Needs no database."""
    failed = 0
    for file in files:
        try:
            results = run_tests(read_text(file))
        except LanguageError as error:
            tell_error(file, error)
            failed += 1
            continue
        failed += sum(not result.passed for result in results)
        for result in results:
            click.echo(f"{file}:{result.test.line}: {'passed' if result.passed else 'FAILED'}: {result.test.name}")
            for difference in result.differences:
                click.echo(f"    {difference}")
        if not results:
            click.echo(f"{file}: has no tests")
    sys.exit(1 if failed else 0)


@command.command()
@click.argument("file", type=FILE)
@click.option("--from", "start", type=INSTANT, required=True, help="First instant, UTC.")
@click.option("--to", "end", type=INSTANT, help="Instant before which the replay ends, UTC; now if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with charts.")
def simulate(file: Path, start: dt.datetime, end: dt.datetime | None, as_json: bool, page: Path | None) -> None:
    """Replay a draft over the real history of all contacts. Nothing is sent and nothing is saved."""
    with connected() as database:
        with database.transaction() as session:
            now, known = clock.now(session), workspace.load(session)
        until = end.replace(tzinfo=dt.UTC) if end else now
        try:
            plan, tally = simulating.simulate(database, read_text(file), start.replace(tzinfo=dt.UTC), until)
        except LanguageError as error:
            tell_error(file, error)
            sys.exit(1)
    prices = {channel: known.price(channel) for channel in ("email", "sms")}
    found = as_json_(tally, prices, [step.id for step in walk(plan.journey.steps)], notes(plan))
    if page is not None:
        page.write_text(simulation_page(plan, found, known.currency), "utf-8")
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        show_simulation(plan, found, known.currency)


@command.command()
@click.argument("journey")
@click.argument("contact")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def explain(journey: str, contact: str, as_json: bool) -> None:
    """Why CONTACT (an external id, an address or a phone number) did, or did not, get what JOURNEY sends."""
    with connected() as database, database.transaction() as session:
        found = find(session, contact)
        story = explain_journey(session, journey, found.id, found.name, signer(), clock.now(session))
        zone = workspace.load(session).zone
    if as_json:
        click.echo(json.dumps(story_as_json(story), indent=2))
    else:
        show_story(story, zone)


@command.command()
@click.argument("journey", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def status(journey: str | None, as_json: bool) -> None:
    """People in each journey and what became of them; with JOURNEY, step by step."""
    with connected() as database, database.transaction() as session:
        found = [(row, step_counts(session, row.id), _order(session, row)) for row in _journeys(session, journey)]
    if as_json:
        click.echo(json.dumps([_status_json(*one) for one in found], indent=2))
        return
    for row, counts, order in found:
        console().print(_overview(row, counts))
        if journey is not None:
            console().print(_steps(counts, order))
    if not found:
        click.echo("No journey has been published yet. Publish one with: cairn journeys publish FILE")


for _each in COMMANDS:
    command.add_command(_each)


def _show(file: Path, found: Iterable[Problem]) -> None:
    for problem in found:
        place = f"{file}:{problem.line}:{problem.column}"
        tell(place, f"{problem.severity}: {problem.message}", problem.expected, problem.hint)


def _published(done: publishing.Published) -> str:
    name = f"{done.journey.slug} version {done.version.number}"
    if done.unchanged:
        return f"{name} is live already; nothing changed."
    return f"{name} is live." + (f" {done.letting_in:,} people of the segment enter now." if done.letting_in else "")


def _journeys(session: Session, slug: str | None) -> list[Journey]:
    rows = list(session.execute(select(Journey).order_by(Journey.slug)).scalars())
    if slug is None:
        return rows
    chosen = [row for row in rows if row.slug == slug]
    if not chosen:
        raise NotFound("journey", slug, "`cairn journeys status` lists those that there are.")
    return chosen


def _order(session: Session, journey: Journey) -> list[str]:
    """Step ids in the order of the live text; steps of older versions follow."""
    if journey.live_version_id is None:
        return []
    version = session.get_one(JourneyVersion, journey.live_version_id)
    return [step.id for step in walk(parse(version.source).steps)]


def _entry_counts(counts: dict[str, StepCounts]) -> dict[str, int]:
    whole = counts.get("", StepCounts()).outcomes
    entered, held_out = whole.get("entered", 0), whole.get("held_out", 0)
    active = sum(one.waiting for one in counts.values())
    ended = {name: whole.get(name, 0) for name in ("completed", "exited", "converted", "stopped", "failed")}
    return {"entries": entered + held_out, "holdout": held_out, "active": active, **ended}


def _status_json(row: Journey, counts: dict[str, StepCounts], order: list[str]) -> dict[str, object]:
    steps = {
        id_: {
            "waiting": one.waiting,
            "entered": one.reached,
            **one.outcomes,
            "sent": one.sent,
            "undelivered": one.undelivered,
            "withheld": one.withheld,
            "untracked": one.untracked,
            "human_opens": one.human_opens,
            "human_clicks": one.human_clicks,
            "failed_calls": one.failed_calls,
        }
        for id_ in _ordered(counts, order)
        if (one := counts.get(id_, StepCounts()))
    }
    return {"journey": row.slug, "state": row.state, **_entry_counts(counts), "by_step": steps}


def _ordered(counts: dict[str, StepCounts], order: list[str]) -> list[str]:
    return order + sorted(id_ for id_ in counts if id_ and id_ not in order)


def _overview(row: Journey, counts: dict[str, StepCounts]) -> str:
    parts = ", ".join(f"{count:,} {name}" for name, count in _entry_counts(counts).items())
    return f"[bold]{row.slug}[/bold] ({row.state}): {parts}"


def _steps(counts: dict[str, StepCounts], order: list[str]) -> Table:
    table = Table(header_style="bold")
    for name in ("step", "waiting", "reached", "outcomes", "sent", "not sent", "opens", "clicks"):
        table.add_column(name, justify="left" if name in ("step", "outcomes") else "right", no_wrap=name == "step")
    for id_ in _ordered(counts, order):
        one = counts.get(id_, StepCounts())
        told = one.outcomes | ({"not delivered": one.failed_calls} if one.failed_calls else {})
        outcomes = ", ".join(f"{name} {count:,}" for name, count in sorted(told.items()))
        why = ", ".join(f"{reason} {count:,}" for reason, count in one.withheld.items())
        not_sent = f"{one.undelivered:,}" + (f" ({why})" if why else "")
        numbers = (f"{one.sent:,}", not_sent, f"{one.human_opens:,}", f"{one.human_clicks:,}")
        table.add_row(id_, f"{one.waiting:,}", f"{one.reached:,}", outcomes, *numbers)
    return table
