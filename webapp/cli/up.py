"""`cairn up`."""

from __future__ import annotations

import click

from engine.settings import settings
from workers.site import Site, supervised


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one. [default: CAIRN_PORT or 8025]")
@click.option("--host", help="Address to listen on. [default: CAIRN_HOST or 127.0.0.1]")
def command(port: int | None, host: str | None) -> None:
    """Run the whole site until Ctrl-C or `cairn down`."""
    click.echo(f"Starting Cairn; its data is in {settings().home.absolute()}")
    try:
        with supervised(settings(), host=host, port=port, report=_report) as site:
            welcome(site)
            site.wait()
    except KeyboardInterrupt:
        click.echo("Stopped.")


def welcome(site: Site) -> None:
    """Say where the site is, and once how to sign in."""
    click.echo(f"Cairn runs at {site.address}")
    if site.admin:
        click.echo(f"Sign in as {site.admin[0]} with the password {site.admin[1]} (shown this once).")
    click.echo("Ctrl-C or `cairn down` stops it.")


def _report(message: str) -> None:
    click.echo(message, err=True)
