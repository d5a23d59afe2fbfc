"""`cairn workspace`: who sends, in which zone and currency, at what price."""

from __future__ import annotations

import re
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import click

from engine import workspace
from engine.contacts import topics
from engine.contacts.tracking import EVERYWHERE
from engine.errors import InvalidInput
from engine.identities import store as identities
from engine.workspace import Workspace
from webapp.cli._context import connected

KINDS = {"str": str, "int": int, "float": float, "Decimal": Decimal}
OF_PRODUCTS = frozenset({"best_seller_days", "viewed_days", "carted_days", "bought_days"})
MOST_DAYS = 3650
PREFIX = re.compile(r"\+[1-9]\d{0,9}")
NOT_EVERYWHERE = frozenset({"sms_signup_countries"})
LIST = "tuple[str, ...]"
SIMPLE = {field.name: str(field.type) for field in fields(Workspace) if str(field.type) in {*KINDS, "bool", LIST}}


@click.group()
def command() -> None:
    """The workspace: sender, postal address, zone, currency, prices."""


@command.command()
def show() -> None:
    """Print all settings, separated by tabs."""
    with connected() as database, database.transaction() as session:
        found = workspace.load(session)
    for name in SIMPLE:
        value = getattr(found, name)
        click.echo(f"{name}\t{','.join(value) if SIMPLE[name] == LIST else value}")


@command.command("set")
@click.argument("name", type=click.Choice(sorted(SIMPLE)))
@click.argument("value")
def set_(name: str, value: str) -> None:
    """Set NAME to VALUE, such as: cairn workspace set postal_address "1 High Street, Bristol".

    Several countries are written with commas: cairn workspace set untracked_countries DE,FR
    """
    with connected() as database, database.transaction() as session:
        if name == "identity":
            identities.expect(session, value)
        if name == "unlimited_topics":
            for slug in _parts(value):
                topics.find(session, slug)
        workspace.save(session, **{name: _read(name, value)})
    click.echo(f"{name}\t{value}")


def _read(name: str, value: str) -> object:
    if name == "timezone" and value not in available_timezones():
        raise InvalidInput(f"“{value}” is no time zone", name, "Write it as Europe/Berlin.")
    if name == "unlimited_topics":
        return _parts(value)
    if SIMPLE[name] == LIST:
        return [_country(part.upper(), name) for part in _parts(value)]
    if SIMPLE[name] == "bool":
        if value not in ("true", "false"):
            raise InvalidInput("is true or false", name)
        return value == "true"
    try:
        read: Any = ZoneInfo(value).key if name == "timezone" else KINDS[SIMPLE[name]](value)
    except (ValueError, InvalidOperation) as error:
        raise InvalidInput(f"“{value}” is no number", name) from error
    if name in OF_PRODUCTS and not 0 < read <= MOST_DAYS:
        raise InvalidInput(f"{value} is no number of days", name, f"Write 1 to {MOST_DAYS:,}.")
    return read


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _country(code: str, name: str) -> str:
    if name == "sms_signup_countries" and PREFIX.fullmatch(code):
        return code
    if (code != EVERYWHERE or name in NOT_EVERYWHERE) and not (len(code) == 2 and code.isascii() and code.isalpha()):
        hint = "DE,FR, or what numbers begin with, such as +4915." if name in NOT_EVERYWHERE else "DE,FR, or * for all."
        raise InvalidInput(f"“{code}” is no country", name, f"Write codes such as {hint}")
    return code
