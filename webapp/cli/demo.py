"""`cairn demo`: a running site with ninety days of a small shop in it."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from engine import clock, workspace
from engine.errors import InvalidInput
from engine.reports import roi
from engine.settings import settings
from webapp.cli._roi_table import roi_table, terminal
from webapp.demo.client import Client
from webapp.demo.drive import Drive
from webapp.demo.people import Town
from webapp.demo.shop import open_shop, start_of
from workers.enqueue import connect
from workers.site import Site, supervised

LOADED = "demo.loaded"
console = Console()


@click.command()
@click.option("--port", type=int, help="Port of the site; CAIRN_PORT, or 8025.")
@click.option("--people", type=click.IntRange(10, 20_000), default=1500, show_default=True)
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True)
@click.option("--exit", "leave", is_flag=True, help="Stop when the report is printed, instead of staying up.")
def command(port: int | None, people: int, days: int, leave: bool) -> None:
    """Load the demo shop, run its days through the real pipeline, print its ROI, and stay up."""
    with supervised(settings(), port=port) as site:
        if _is_loaded(site):
            console.print("The demo shop is loaded already; its data is kept.")
        else:
            _play(site, people, days)
        with site.database.transaction() as session:
            terminal().print(roi_table(roi.report(session)))
        console.print(f"\nCairn runs at [bold]{site.address}[/bold]")
        console.print(_sign_in())
        if not leave:
            console.print("Ctrl-C or `cairn down` stops it; `make demo` finds the data again.")
            site.wait()


def _is_loaded(site: Site) -> bool:
    with site.database.transaction() as session:
        return workspace.get(session, LOADED) is not None


def _play(site: Site, people: int, days: int) -> None:
    """The whole demo, from an empty workspace to real time."""
    with site.database.transaction() as session:
        if session.connection().exec_driver_sql("select exists (select from contacts)").scalar():
            raise InvalidInput(
                "this workspace has contacts already", hint="Set CAIRN_HOME to another folder for the demo."
            )
    if site.admin:
        _keep_private(_sign_in_file(), "\n".join(site.admin))
    town = Town(start_of(dt.datetime.now(dt.UTC), days), days, people)
    console.print(f"Opening the demo shop with {people:,} people …")
    client, redis = Client(site.address, open_shop(site.database, town)), connect(site.urls.redis_url)
    started = time.monotonic()
    columns = (
        TextColumn("{task.fields[day]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("days"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=days, day=f"{town.start:%d %b}")

        def progress(now: dt.datetime) -> None:
            bar.update(task, completed=(now - town.start).days, day=f"{now:%d %b}")

        Drive(site.database, redis, client, town, progress).run()
    client.close()
    with site.database.transaction() as session:
        clock.set_virtual(session, None)
        workspace.put(session, LOADED, True)
    console.print(f"{days} days in {time.monotonic() - started:.0f} seconds.\n")


def _sign_in_file() -> Path:
    return settings().home / "demo-sign-in"


def _keep_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _sign_in() -> str:
    if not _sign_in_file().exists():
        return "Sign in with your own account."
    email, password = _sign_in_file().read_text().split("\n")
    return f"Sign in as [bold]{email}[/bold] with the password [bold]{password}[/bold]"
