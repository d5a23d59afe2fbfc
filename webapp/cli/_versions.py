"""`cairn journeys plan`, `apply`, `pull`, `rollback`, `pause`, `resume`, `drain`, `stop`."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.db import Database
from engine.errors import CairnError, Conflict, InvalidInput, NotFound
from engine.model import Journey, JourneyVersion
from journeys import plan as planning
from journeys.language.choice import Choice, Choices, read_choice
from journeys.language.parse import read
from journeys.plan import Plan
from journeys.publish import Published, Refused, rollback
from journeys.runtime import states
from webapp.cli._context import connected
from webapp.cli._files import read_text, tell
from workers import pipeline

PATHS = click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)
CHOICES = click.option(
    "--choice",
    "choices",
    multiple=True,
    metavar="JOURNEY.STEP=CHOICE",
    help=(
        "What becomes of the people at a step: stay, reschedule, move:STEP or exit. The step * stands for all others."
    ),
)
Texts = dict[Path, str]


class OneForErrors(click.Command):
    """A wrong call has the exit code 1 too, for 2 says that there are changes."""

    def make_context(self, *arguments: object, **options: object) -> click.Context:
        try:
            return super().make_context(*arguments, **options)  # type: ignore[arg-type]
        except click.UsageError as error:
            error.exit_code = 1  # type: ignore[misc]
            raise


@click.command("plan", cls=OneForErrors)
@PATHS
@CHOICES
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the plan, for `apply`.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plan(paths: tuple[Path, ...], choices: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Show what publishing files would do, and the people whom it touches. Nothing is changed.

    A directory stands for all its journey files. The exit code is 0 without changes, 2 with some, 1 after an error.
    """
    try:
        texts = _texts(paths)
        with connected() as database:
            made, others = _planned(database, texts, choices, any(path.is_dir() for path in paths))
        if out is not None:
            _write(out, planning.written(made, {one.slug: str(path) for one, path in zip(made, texts, strict=True)}))
    except Refused:
        sys.exit(1)
    except CairnError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    if as_json:
        found = {"journeys": [planning.as_json(one) for one in made], "without_file": others}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _show(made, others)
    sys.exit(2 if any(one.changes for one in made) else 0)


@click.command("apply")
@PATHS
@CHOICES
@click.option("--yes", is_flag=True, help="Do not ask.")
def apply(paths: tuple[Path, ...], choices: tuple[str, ...], yes: bool) -> None:
    """Publish what `plan` shows: files, directories, or a plan that was written with `--out`.

    A plan is refused when the live version or its file has changed since. Each journey is one transaction;
    one that another starts comes before it, and those that start each other in a ring are one transaction together.
    """
    with connected() as database:
        try:
            made = _read_plan(paths[0], choices) if _is_plan(paths) else _planned(database, _texts(paths), choices)[0]
        except Refused:
            sys.exit(1)
        groups = planning.in_turn(one.source for one in made)
        wanted = [[one for one in made if one.slug in group and one.changes] for group in groups]
        names = [one.slug for group in wanted for one in group]
        if not _is_plan(paths):
            _show(made, [])
        if names and not yes:
            click.confirm(f"Publish {', '.join(names)}?", abort=True)
        for group in wanted:
            with database.transaction() as session:
                beside = frozenset(one.slug for one in group)
                now, actor = clock.now(session), getpass.getuser()
                done = [planning.carry_out(session, one, now, actor, beside) for one in group]
            for one_done in done:
                click.echo(_done(one_done))
        if not names:
            click.echo("Nothing to do.")


@click.command("pull")
@click.argument("slugs", nargs=-1)
@click.option(
    "--to", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Here if not given."
)
@click.option("--force", is_flag=True, help="Overwrite files that hold what was never published.")
def pull(slugs: tuple[str, ...], folder: Path, force: bool) -> None:
    """Write the live texts of journeys (of all, if none is named) as SLUG.yaml, exactly as they were published."""
    with connected() as database, database.transaction() as session:
        texts = _published_texts(session, slugs)
    folder.mkdir(parents=True, exist_ok=True)
    for slug, (live, all_texts) in texts.items():
        file = folder / f"{slug}.yaml"
        before = _bare(file) if file.exists() else None
        if before not in (None, *all_texts) and not force:
            hint = "Publish or remove it, or pull with --force."
            raise Conflict(f"the file {file} holds a text that was never published; nothing more is written", hint)
        if before != live:
            _write(file, live)
        click.echo(f"{file}: {'as it was' if before == live else 'written'}")


@click.command("rollback")
@click.argument("slug")
@click.argument("number", type=int, required=False)
@click.option(
    "--choice", "choices", multiple=True, metavar="STEP=CHOICE", help="As in `apply`; the step * stands for all."
)
def roll_back(slug: str, number: int | None, choices: tuple[str, ...]) -> None:
    """Publish the text of version NUMBER again as a new version; of the last one that differs, if it is not given."""
    chosen = _choices([f"{slug}.{one}" for one in choices], [slug]).get(slug, {})
    with connected() as database, database.transaction() as session:
        done = rollback(session, slug, number, clock.now(session), getpass.getuser(), chosen)
    click.echo(_done(done))


def _state_command(verb: str, text: str) -> click.Command:
    def run(slug: str) -> None:
        with connected() as database:
            with database.transaction() as session:
                journey = states.change(session, slug, verb, clock.now(session), getpass.getuser())
                state = journey.state
            ended = 0
            while verb == "stop" and (some := pipeline.end_stopped(database)):
                ended += some
        click.echo(f"{slug} is {state}." + (f" {ended:,} entries were ended." if ended else ""))

    return click.command(verb, help=text)(click.argument("slug")(run))


COMMANDS: Sequence[click.Command] = (
    plan,
    apply,
    pull,
    roll_back,
    _state_command("pause", "Hold a journey: nobody enters or moves, nothing is sent. Clocks run on."),
    _state_command("resume", "Let a paused or draining journey go on. What fell due in a pause happens now."),
    _state_command("drain", "Let nobody in any more; those inside go on to their ends."),
    _state_command("stop", "End all entries of a journey and cancel its queued messages. Publishing starts it anew."),
)


def _texts(paths: Iterable[Path]) -> Texts:
    """Journey files by path, those of directories in the order of their names."""
    found: list[Path] = []
    for path in paths:
        inside = (
            sorted(file for file in path.rglob("*") if file.suffix in (".yaml", ".yml")) if path.is_dir() else [path]
        )
        if not inside:
            raise InvalidInput("holds no journey files", str(path), "They are named NAME.yaml.")
        found += inside
    return {path: read_text(path) for path in dict.fromkeys(found)}


def _planned(
    database: Database, texts: Texts, choices: Iterable[str], whole: bool = False
) -> tuple[list[Plan], list[str]]:
    """The plans of these texts; and, if they are `whole`, the live journeys of which none is. Raises Refused after it
    has shown what is wrong with each file."""
    slugs = [partial.slug for text in texts.values() if (partial := read(text).partial)]
    chosen = _choices(choices, slugs)
    with database.transaction() as session:
        _refuse_broken(session, texts)
        made = planning.plans(session, list(texts.values()), chosen)
        live = session.execute(select(Journey.slug).where(Journey.live_version_id.is_not(None)).order_by(Journey.slug))
        return made, [slug for slug in live.scalars() if slug not in slugs] if whole else []


def _refuse_broken(session: Session, texts: Texts) -> None:
    refused, beside = None, planning.named(texts.values())
    for path, text in texts.items():
        try:
            planning.checked(session, text, beside)
        except Refused as error:
            refused = error
            for problem in error.problems:
                place = f"{path}:{problem.line}:{problem.column}"
                tell(place, f"{problem.severity}: {problem.message}", problem.expected, problem.hint)
    if refused is not None:
        raise refused


def _choices(specs: Iterable[str], slugs: Iterable[str]) -> dict[str, Choices]:
    """`JOURNEY.STEP=CHOICE`, each by its journey; names may hold dots, so the longest journey's name counts."""
    found: dict[str, dict[str, Choice]] = {}
    names = sorted(slugs, key=len, reverse=True)
    for spec in specs:
        place, _, choice = spec.partition("=")
        slug = next((name for name in names if place.startswith(f"{name}.")), None)
        if slug is None or not choice:
            raise InvalidInput(f"`{spec}` names no journey that is planned", "--choice", "Write JOURNEY.STEP=CHOICE.")
        found.setdefault(slug, {})[place.removeprefix(f"{slug}.")] = read_choice(choice)
    return dict(found)


def _is_plan(paths: Sequence[Path]) -> bool:
    return (
        len(paths) == 1
        and paths[0].is_file()
        and paths[0].suffix not in (".yaml", ".yml")
        and (read_text(paths[0]).lstrip().startswith("{"))
    )


def _read_plan(file: Path, choices: Sequence[str]) -> list[Plan]:
    """The plans of a file. Raises Conflict if a text that it was made from has changed since."""
    if choices:
        raise InvalidInput("a plan has its choices", "--choice", "Give them to `plan`.")
    found = planning.read_plan(read_text(file))
    for one, name in found:
        source = Path(name)
        if name and source.is_file() and read_text(source) != one.source:
            raise Conflict(f"the file {source} has changed since the plan was made", "Make a new plan.")
    return [one for one, _ in found]


def _published_texts(session: Session, slugs: Sequence[str]) -> dict[str, tuple[str, list[str]]]:
    """By journey, its live text and all texts that it had."""
    query = select(Journey.slug, Journey.live_version_id, JourneyVersion.id, JourneyVersion.source)
    rows = session.execute(
        query.join(JourneyVersion, JourneyVersion.journey_id == Journey.id).where(Journey.live_version_id.is_not(None))
    ).all()
    unknown = [slug for slug in slugs if slug not in {row[0] for row in rows}]
    if unknown:
        raise NotFound("published journey", unknown[0], "`cairn journeys status` lists those that there are.")
    wanted = sorted(slugs or {row[0] for row in rows})
    return {
        slug: (
            next(source for name, live, id_, source in rows if name == slug and id_ == live),
            [source for name, _, _, source in rows if name == slug],
        )
        for slug in wanted
    }


def _bare(file: Path) -> str:
    """The text of a file with its own line breaks."""
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return "\0"


def _write(file: Path, text: str) -> None:
    try:
        file.write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot be written: {error.strerror}", str(file)) from error


def _show(made: Iterable[Plan], others: Sequence[str]) -> None:
    for one in made:
        for line in planning.lines(one):
            click.echo(line)
        for problem in one.warnings:
            click.echo(f"  line {problem.line}: warning: {problem.message}")
    if others:
        click.echo(f"Live and without a file here (nothing happens to them): {', '.join(others)}")


def _done(done: Published) -> str:
    name = f"{done.journey.slug} version {done.version.number}"
    words = [f"{name} is live already." if done.unchanged else f"{name} is live."]
    if done.carried.people:
        words.append(f"{done.carried.people:,} people went along.")
    if done.carried.ended:
        words.append(f"{done.carried.ended:,} entries were ended.")
    if done.letting_in:
        words.append(f"{done.letting_in:,} people of the segment enter now.")
    return " ".join(words)
