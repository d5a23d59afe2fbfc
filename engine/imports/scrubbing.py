"""Error files of imports hold cells of refused rows; those of a person who was erased go."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from pathlib import Path


def scrub(files: Iterable[str], addresses: Collection[str]) -> int:
    """Take the lines that name one of the addresses out of these error files; returns how many.

    Files that are gone are passed over. Each is replaced as a whole, so that a crash leaves the old or the new one.
    """
    wanted = [address.lower() for address in addresses]
    return sum(_scrub(Path(file), wanted) for file in sorted(set(files))) if wanted else 0


def _scrub(path: Path, wanted: Collection[str]) -> int:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError:
        return 0
    kept = [row for row in rows if not any(address in cell.lower() for cell in row for address in wanted)]
    if len(kept) < len(rows):
        fresh = path.with_name(f".{path.name}.new")
        with fresh.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(kept)
        fresh.replace(path)
    return len(rows) - len(kept)
