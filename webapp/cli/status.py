"""`cairn status`."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

import click
import psutil
from sqlalchemy.exc import SQLAlchemyError

from engine.channels.addresses import addresses, name_of
from engine.channels.allowed import parse
from engine.identities import store as identities
from engine.identities.house import house
from engine.messages import outages
from engine.settings import settings
from webapp.cli._context import connected
from workers.embedded import Running
from workers.embedded.running import read


@click.command()
def command() -> None:
    """Say whether the site runs, where, how, and whether messages leave. Exit code 1 if nothing runs."""
    home = settings().home.absolute()
    site = read(home)
    if site is None:
        click.echo(f"Nothing runs in {home}.")
        sys.exit(1)
    click.echo(f"Runs at {site.address}" if site.address else f"In use by process {site.pid}")
    for name, pid in {"supervisor": site.pid, **site.processes}.items():
        click.echo(f"  {name:<11} {_describe(pid)}")
    _show_addresses(site)
    _show_outages(site.smtp_url or settings().smtp_url)
    if only := parse(settings().allowed_recipients):
        click.echo(f"  Writes to   {only.text} only (CAIRN_ALLOWED_RECIPIENTS)")


def _show_outages(setting: str | None) -> None:
    """What does not leave as it should; nothing while the database is away, which its process tells."""
    with suppress(SQLAlchemyError), connected() as database, database.transaction() as session:
        for one in outages.listed(session, setting, identities.listed(session, house())):
            click.echo(f"  {one.what:<11} {one}")


def _describe(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        minutes = (time.time() - process.create_time()) / 60
        return f"process {pid}, up {minutes:.0f} min, {process.memory_info().rss / 1e6:.0f} MB"
    except psutil.Error:
        return f"process {pid} has ended"


def _show_addresses(site: Running) -> None:
    click.echo(f"  PostgreSQL  {site.database_url}")
    click.echo(f"  Redis       {site.redis_url}")
    if site.smtp_url:
        click.echo(f"  email       {', then '.join(map(name_of, addresses(site.smtp_url)))}")
