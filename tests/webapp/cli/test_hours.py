"""`cairn hours`."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from engine import clock
from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.habits import store
from tests.webapp.cli.test_data_commands import Cairn, cairn
from webapp.cli._context import connected

__all__ = ["cairn"]

EVENING = dt.datetime(2026, 3, 2, 20, 15, tzinfo=dt.UTC)


def test_hours_of_everybody_and_of_a_contact_are_shown_and_counted_anew(cairn: Cairn) -> None:
    assert cairn("hours", "show").output.splitlines()[-1] == (
        "Best hour of the next day: 10:00, by default, as there are none yet."
    )
    with connected() as database, database.transaction() as session:
        ann, _ = identify(session, [Profile(external_id="ann"), Profile(external_id="bob")], clock.now(session))
        days = [EVENING - day * dt.timedelta(days=1) for day in range(7)]
        store.count(session, [store.Moved(ann, (None, None), (at, None)) for at in days], ZoneInfo("UTC"))
    for name, whose in (("ann", "from these"), ("", "from everybody's"), ("bob", "from everybody's")):
        lines = cairn("hours", "show", *([name] if name else [])).output.splitlines()
        assert len(lines) == 25 and lines[-1] == f"Best hour of the next day: 20:00, {whose}."
        assert lines[20].split()[1] == ("0" if name == "bob" else "7")
    assert cairn("hours", "recount").output == "All hours are counted anew.\n"
    assert cairn("hours", "show", "ann").output.splitlines()[20].split() == ["20:00", "0"]
    assert "There is no contact" in cairn("hours", "show", "nobody").output
