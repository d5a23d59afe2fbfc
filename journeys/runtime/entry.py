"""An enrolment as the executor holds it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from journeys.decide import Row
from journeys.decide.values import NO_VISITS, Visits


class Entry(Row):
    """A row with what the executor has to write back."""

    __slots__ = ("arms", "arrived_at", "entered_at", "first", "step_id", "taken", "visits")

    def __init__(self, *values: Any) -> None:
        """Columns as `ENTRY_COLUMNS` names them."""
        super().__init__(values[0], values[1], values[3], values[4])
        self.step_id: str = values[2]
        self.arrived_at: dt.datetime | None = values[5]
        self.entered_at: dt.datetime = values[6]
        self.taken: int = values[7]
        self.first: bool = values[8]
        self.visit = values[9]
        self.visits: Visits = values[10] or NO_VISITS
        self.arms: dict[str, str] = {}


ENTRY_COLUMNS = (
    "e.id, e.contact_id, e.step_id, e.phase, e.deadline, e.arrived_at, e.entered_at, e.steps_taken, e.first_entry, "
    "e.visit, nullif(e.visits, '{}')"
)
