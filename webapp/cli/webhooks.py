"""`cairn webhooks`: endpoints of other programs that journeys call."""

from __future__ import annotations

import click
from rich.table import Table

from engine import clock
from engine.settings import settings
from engine.signing import signer
from engine.webhooks import endpoints
from engine.webhooks.address import networks, parse_url, refusal
from webapp.cli._console import console
from webapp.cli._context import connected


@click.group()
def command() -> None:
    """Endpoints that journeys call, by slug."""


@command.command()
@click.argument("slug")
@click.argument("url")
def add(slug: str, url: str) -> None:
    """Make an endpoint, or change the URL of one. Prints the secret that its calls are signed with."""
    with connected() as database, database.transaction() as session:
        click.echo(endpoints.add(session, slug, url, signer().sealing_keys))
    if why := refusal(parse_url(url), networks(settings().webhook_networks)):
        click.echo(f"warning: {why}. Until then its calls fail.", err=True)


@command.command()
@click.argument("slug")
def rotate(slug: str) -> None:
    """Print a new secret. Until the next change calls are signed with the one before too."""
    with connected() as database, database.transaction() as session:
        click.echo(endpoints.rotate(session, slug, signer().sealing_keys))


@command.command()
@click.argument("slug")
def remove(slug: str) -> None:
    """Forget an endpoint. What is pending for it stays, and goes out if it is added again."""
    with connected() as database, database.transaction() as session:
        endpoints.remove(session, slug)
    click.echo(f"{slug} is removed.")


@command.command()
@click.argument("slug")
def retry(slug: str) -> None:
    """Deliver everything again that has not arrived."""
    with connected() as database, database.transaction() as session:
        endpoints.retry(session, slug, clock.now(session))
    click.echo(f"{slug} is tried again.")


@command.command("list")
def list_() -> None:
    """Every endpoint: whether it works, and what is pending, delivered and failed."""
    with connected() as database, database.transaction() as session:
        rows = endpoints.listed(session)
    table = Table(header_style="bold")
    table.add_column("slug", no_wrap=True)
    for name in ("url", "state"):
        table.add_column(name, overflow="fold", min_width=16)
    for name in ("pending", "delivered", "failed"):
        table.add_column(name, no_wrap=True, justify="right")
    for row in rows:
        state = f"fails since {row.failing_since:%Y-%m-%d %H:%M}: {row.error}" if row.failing_since else "works"
        table.add_row(row.slug, row.url, state, f"{row.pending:,}", f"{row.delivered:,}", f"{row.failed:,}")
    console().print(table)
