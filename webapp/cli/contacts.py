"""`cairn contacts`: people, from files."""

from __future__ import annotations

from pathlib import Path

import click

from engine.imports.contacts import import_contacts
from webapp.cli import _importing

CHANNELS = ("email", "sms")


class Channels(click.ParamType[list[str]]):
    """Names of channels, separated by commas."""

    name = "channels"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        """Raises a usage error for a channel that is none."""
        given = [part.strip() for part in str(value).split(",") if part.strip()]
        for channel in given:
            if channel not in CHANNELS:
                self.fail(f"“{channel}” is no channel; there are {' and '.join(CHANNELS)}", param, ctx)
        return given


@click.group()
def command() -> None:
    """Contacts of this installation."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--consent", type=Channels(), default="", help="They agreed to these channels, as in email,sms.")
def import_(file: Path, consent: list[str]) -> None:
    """Read contacts from a CSV file.

    Its first line names the columns: external_id or email or both, then phone, timezone, locale, and attributes. An
    empty cell changes nothing. The exit code is 0 when all rows are in, 5 when some were refused; those stand in
    FILE.errors.csv with the reason.
    """
    _importing.run(import_contacts, file, "contacts", consent=consent)
