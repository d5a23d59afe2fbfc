"""Reading the files that a person names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from engine.errors import InvalidInput, LanguageError


def tell(place: str, message: str, expected: Sequence[str] = (), hint: str = "") -> None:
    """What is wrong at `place`, such as FILE:LINE:COLUMN, on standard error."""
    click.echo(f"{place}: {message}", err=True)
    if expected:
        click.echo(f"    expected: {', '.join(expected)}", err=True)
    if hint:
        click.echo(f"    hint: {hint}", err=True)


def tell_error(file: Path, error: LanguageError) -> None:
    """What is wrong with a file that does not read, and where, on standard error."""
    tell(f"{file}:{error.line}:{error.column}", f"error: {error.message}", error.expected, error.hint)


def read_text(file: Path) -> str:
    """The text of a UTF-8 file, with or without BOM; of standard input for `-`. Raises InvalidInput."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"is not UTF-8 text (byte {error.start + 1})", str(file), "Save it as UTF-8.") from error
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", str(file)) from error
