"""Addresses that are never written to from a CSV file: as they are, or as the hashes that another site exported."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.contacts import suppressions
from engine.contacts.suppressions import CHANNELS, KEY, REASONS
from engine.db import Database
from engine.errors import InvalidInput
from engine.imports.reading import check_header, opened, unreadable
from engine.signing import Signer

BATCH = 10_000
MOST_PROBLEMS = 100
NAMES = {"email": "address", "email address": "address", "e-mail": "address", "phone": "address"}
"""What other tools call the column of addresses."""


@dataclass(slots=True)
class Counts:
    """What became of a file's rows. `problems` are (line, what is wrong), the first hundred."""

    rows: int = 0
    added: int = 0
    refused: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, line: int, error: str) -> None:
        """Remember why a row is not in."""
        self.refused += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((line, error))


def import_suppressions(
    database: Database, path: Path, channel: str, actor: str, now: dt.datetime, signer: Signer
) -> Counts:
    """Suppress what a CSV file names; rows that name nothing are refused. `channel` holds for rows without their own.

    Columns: `address`, or `address_hmac` with perhaps `key` as an export writes them; perhaps `channel` and `reason`.
    Raises InvalidInput for a file that is none, and for hashes that were made with another secret.
    """
    counts, found = Counts(), defaultdict[str, list[tuple[bytes, str]]](list)
    with opened(path) as table:
        header = [NAMES.get(name, name) for name in (name.lower() for name in table.header)]
        check_header(header, [("address", "address_hmac")], (), "address,channel,reason")
        for lines in table.batches(BATCH):
            for line in lines:
                counts.rows += 1
                wrong = unreadable(line, header)
                cells = {} if wrong else {name: cell.strip() for name, cell in zip(header, line.cells, strict=True)}
                try:
                    _check_key(cells, signer)
                    row_channel, key, reason = _row(cells, channel, signer)
                    found[row_channel].append((key, reason))
                except ValueError as error:
                    counts.refuse(line.number, wrong[2] if wrong else str(error))
    with database.transaction() as session:
        counts.added = sum(suppressions.add(session, each, found[each], actor, now) for each in sorted(found))
    return counts


def _check_key(cells: Mapping[str, str], signer: Signer) -> None:
    if (key := cells.get(KEY)) and not cells.get("address") and key != signer.fingerprint():
        hint = "Start this site with the secret of the other one, or import the addresses themselves."
        raise InvalidInput("the hashes were made with another secret, so they match nobody here", KEY, hint)


def _row(cells: Mapping[str, str], channel: str, signer: Signer) -> tuple[str, bytes, str]:
    """(channel, HMAC, reason) of a row. Raises ValueError with what is wrong."""
    where, reason = cells.get("channel") or channel, cells.get("reason") or "manual"
    for name, value, known in (("channel", where, CHANNELS), ("reason", reason, REASONS)):
        if value not in known:
            raise ValueError(f"{name} is “{value[:40]}”; known are {', '.join(known)}")
    if address := cells.get("address"):
        try:
            return where, suppressions.key_of(where, address.removeprefix("'"), signer), reason
        except InvalidInput as error:
            raise ValueError(f"“{address[:80]}” {error.message}") from error
    try:
        key = bytes.fromhex(cells.get("address_hmac", ""))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ValueError("has neither an address nor a hash of 64 hex digits")
    return where, key, reason
