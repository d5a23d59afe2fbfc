"""Reading the files that a person names."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.errors import InvalidInput


def read_text(file: Path) -> str:
    """The text of a UTF-8 file, with or without BOM; of standard input for `-`. Raises InvalidInput."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"is not UTF-8 text (byte {error.start + 1})", str(file), "Save it as UTF-8.") from error
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", str(file)) from error
