"""The command `cairn`.

To add the command `cairn widgets`, write the file `webapp/cli/widgets.py` with a click command or group named
`command` in it; nothing else is edited. The file's name is the command's name (`_` becomes `-`); the first line of the
click function's docstring is the help shown by `cairn --help`. Files whose name begins with `_` are helpers.

    import click

    from webapp.cli._context import connected

    @click.group()
    def command() -> None:
        \"\"\"Widgets of this installation.\"\"\"

    @command.command("import")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def import_(file: Path) -> None:
        \"\"\"Read widgets from a CSV file.\"\"\"
        with connected() as database, database.transaction() as session:
            ...

`connected()` gives the migrated database of this installation whether or not `cairn up` runs, and starts the embedded
servers for as long as the block lasts if nobody else did; `connected_with_redis()` gives the Redis client too. Raise a
`CairnError` for anything that the person can put right: its text goes to stderr, without a traceback, and the
exit code is 1 (3 for `ConfigurationError`, 4 for `NotFound`; click uses 2 for a wrong call).
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import Any

import click

from engine.errors import CairnError, ConfigurationError, NotFound


class Commands(click.Group):
    """Finds a command by the name of its file and imports that file only."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        names = (module.name for module in pkgutil.iter_modules(__path__))
        return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        found = importlib.import_module(f"webapp.cli.{cmd_name.replace('-', '_')}").command
        return found if isinstance(found, click.Command) else None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CairnError as error:
            click.echo(str(error), err=True)
            sys.exit(exit_code(error))


def exit_code(error: CairnError) -> int:
    """3: the installation has to be changed; 4: no such thing; 1: anything else."""
    if isinstance(error, ConfigurationError):
        return 3
    return 4 if isinstance(error, NotFound) else 1


@click.group(cls=Commands)
@click.version_option(package_name="cairn", prog_name="cairn")
def main() -> None:
    """Cairn: marketing journeys on your own machine. Start with `cairn up`."""
