"""`cairn journeys library`: the stock journeys."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from engine import clock
from engine.errors import InvalidInput
from webapp import library as stocks
from webapp.cli._console import console
from webapp.cli._context import connected


@click.group(invoke_without_command=True)
@click.pass_context
def library(ctx: click.Context) -> None:
    """The stock journeys: list them, or add one."""
    if ctx.invoked_subcommand is None:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for one in stocks.stock():
            table.add_row(f"[bold]{one.slug}[/bold]", one.journey.title)
        console().print(table)
        click.echo("\nAdd one with: cairn journeys library add NAME")


@library.command()
@click.argument("slug")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Also write its files here.")
@click.option("--site", default="", help="Address of your site, for the links.")
@click.option("--accent", default="", help="Colour of buttons and links, like #0f766e.")
def add(slug: str, folder: Path | None, site: str, accent: str) -> None:
    """Bring a stock journey into this workspace: its contents, what it enters by, and the journey as a draft."""
    wanted, own = stocks.find(slug), stocks.brand(site, accent)
    if folder:
        for path in _write(wanted, own, folder):
            click.echo(f"wrote {path}")
    with connected() as database, database.transaction() as session:
        added = stocks.add(session, wanted, own, clock.now(session))
    for name in added.made:
        click.echo(f"made {name}")
    for name in added.kept:
        click.echo(f"kept {name}, as it was there already")
    for name, purpose in wanted.webhooks.items():
        click.echo(f"needs the webhook {name}, which {purpose}: cairn webhooks add {name} URL")
    if wanted.change:
        click.echo(f"\nBefore you publish it, change {wanted.change}")


def _write(wanted: stocks.Stock, own: stocks.Brand, folder: Path) -> list[Path]:
    """The journey's file, and its contents in a folder beside it. Raises InvalidInput if one exists already."""
    files = {folder / f"{wanted.slug}.yaml": wanted.text}
    files |= {folder / "messages" / one.file: stocks.branded(one.text, own) for one in wanted.messages}
    for path in files:
        if path.exists():
            raise InvalidInput("exists already", str(path), "Choose another folder, or move the file away.")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)
