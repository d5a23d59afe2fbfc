"""The CDNOW purchases as import files, and what plain Python says of them. Nothing here uses the engine."""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("CAIRN_TEST_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
PURCHASES = FOLDER / "cdnow" / "purchases.csv"

needs_purchases = pytest.mark.skipif(not PURCHASES.exists(), reason=f"the CDNOW purchases are not at {PURCHASES}")


@dataclass(frozen=True)
class Purchase:
    """A line of the file; `row` counts from 1."""

    row: int
    customer: str
    day: dt.date
    quantity: int
    amount: str


def purchases() -> list[Purchase]:
    """All lines in the file's order."""
    with PURCHASES.open(newline="") as file:
        return [
            Purchase(
                row, line["customer_id"], dt.date.fromisoformat(line["date"]), int(line["quantity"]), line["amount_usd"]
            )
            for row, line in enumerate(csv.DictReader(file), 1)
        ]


def write_files(folder: Path, lines: list[Purchase]) -> tuple[Path, Path]:
    """contacts.csv with an address for everybody, and events.csv with the row number as message_id."""
    contacts, events = folder / "contacts.csv", folder / "events.csv"
    with contacts.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "email", "phone", "timezone"])
        writer.writerows([c, f"c{c}@cdnow.example", "", "UTC"] for c in sorted({line.customer for line in lines}))
    with events.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "name", "occurred_at", "message_id", "quantity", "revenue"])
        writer.writerows(
            [line.customer, "Order Completed", line.day.isoformat(), line.row, line.quantity, line.amount]
            for line in lines
        )
    return contacts, events


@dataclass
class Expected:
    """What the win-back journey has to do."""

    entries: int = 0
    met: int = 0
    timed_out: int = 0
    mailed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    goals: int = 0


def win_back(
    lines: list[Purchase], held_out: set[str], wait: int = 90, within: int = 120, stop: dt.date = dt.date(1998, 10, 1)
) -> Expected:
    """The oracle: every purchase enters; the next one within `wait` days (the last day included) meets the wait, also
    on the same day; otherwise the wait times out and a mail goes. Held-out people take no step."""
    found = Expected()
    of_customer: dict[str, list[dt.date]] = defaultdict(list)
    for line in lines:
        of_customer[line.customer].append(line.day)
    for customer, days in of_customer.items():
        days.sort()
        for day, following in zip(days, [*days[1:], None], strict=True):
            found.entries += 1
            gap = (following - day).days if following else None
            if gap is not None and gap <= within:
                found.goals += 1
            if customer in held_out:
                continue
            if gap is not None and gap <= wait:
                found.met += 1
            elif day + dt.timedelta(days=wait) <= stop:
                found.timed_out += 1
                found.mailed[customer] += 1
    return found
