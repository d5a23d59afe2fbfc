"""`cairn rules`: try a rule before it is used."""

from __future__ import annotations

import datetime as dt

import click

from engine import clock, segments
from engine.expr import check as check_names
from engine.expr import english, parse, unparse
from engine.expr.load import load as load_schema
from webapp.cli._context import connected
from webapp.cli.clock import INSTANT


@click.group()
def command() -> None:
    """Rules: count who matches, check what a rule says."""


@command.command()
@click.argument("rule")
@click.option("--now", "moment", type=INSTANT, help="As of this instant instead of the present.")
def count(rule: str, moment: dt.datetime | None) -> None:
    """Print the number of contacts that RULE is true of. Attributes and consent are always those of today."""
    with connected() as database, database.transaction() as session:
        click.echo(segments.count(session, rule, moment or clock.now(session)))


@command.command()
@click.argument("rule")
def check(rule: str) -> None:
    """Print RULE in canonical form and in English, or say where it is wrong."""
    with connected() as database, database.transaction() as session:
        schema = load_schema(session)
        segments.resolve(rule, schema)
        node = parse(rule, schema.aliases)
        for problem in check_names(node, schema):
            hint = f" {problem.hint}" if problem.hint else ""
            click.echo(f"warning: line {problem.line}, column {problem.column}: {problem.message}.{hint}", err=True)
    click.echo(unparse(node))
    click.echo(english(node))
