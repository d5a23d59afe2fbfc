"""Campaigns at each contact's best hour: everybody is frozen into the wave of everybody's best hour in their zone, then
those with a history of their own into the wave of theirs. A wave is an instant at which an hour begins somewhere.
"""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.campaigns import schedule
from engine.campaigns.definition import Definition
from engine.db import copy_rows, driver
from engine.expr.schema import zone_info
from engine.habits import store
from engine.habits.estimate import Everybody, Habits, Profile, choose, hours
from engine.messages.limits import Limits
from engine.quiet import Hours
from engine.workspace import Workspace
from engine.zones import zones_of

READ = """
select a.contact_id, a.wave, c.timezone, array_agg(h.slot), array_agg(h.messages)
from campaign_contacts a join contacts c on c.id = a.contact_id join contact_hours h on h.contact_id = a.contact_id
where a.campaign_id = %s group by 1, 2, 3
"""
CHUNK = 5_000
TABLE = text("create temporary table best_waves (contact_id bigint, wave smallint) on commit drop")
ANALYZE = text("analyze best_waves")
MOVE = text("""
update campaign_contacts a set wave = b.wave from best_waves b where a.campaign_id = :id and a.contact_id = b.contact_id
""")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The waves that there may be. `begins`: from when on a contact of the test (True), or of the rest, is sent to.

    `places` maps (whether of the test, zone) to the wave and the instant of those without a history; zone None is
    everybody else's. `numbers` maps (whether of the test, instant) to its wave, in the order in which they begin.
    """

    zone: ZoneInfo
    quiet: Hours | None
    everybody: Everybody
    begins: Mapping[bool, dt.datetime]
    numbers: Mapping[tuple[bool, dt.datetime], int]
    places: Mapping[tuple[bool, str | None], tuple[int, dt.datetime]]

    @property
    def kinds(self) -> dict[int, tuple[bool, dt.datetime, str | None]]:
        """By wave: whether it is of the test, and its instant; they have no zone."""
        return {number: (test, at, None) for (test, at), number in self.numbers.items()}


def calendar(
    session: Session, definition: Definition, zones: Iterable[str], workspace: Workspace, now: dt.datetime
) -> Calendar:
    """For a campaign that starts at `now`. The rest of a test begins when the winner is known."""
    begin = max(now, schedule.start_of(definition, workspace.zone) or now)
    begins = {True: begin}
    if definition.winner is not None:
        begins[False] = begin + schedule.DAY + definition.winner.after
    named: dict[str | None, ZoneInfo] = {None: workspace.zone}
    named |= {name: zone_info(name) for name in zones if zone_info(name).key == name}
    instants = {(test, at) for test, start in begins.items() for zone in named.values() for at in hours(zone, start)}
    ordered = sorted(instants, key=lambda one: (not one[0], one[1]))
    numbers = {key: number for number, key in enumerate(ordered)}
    quiet = Limits.of(workspace).hours_of(definition.channel, definition.topic or None)
    everybody = store.read(session, [])[1]
    places = {}
    for name, zone in named.items():
        for test, start in begins.items():
            at = choose(Habits(None, everybody, quiet), (zone,), (), start).at
            places[test, name] = numbers[test, at], at
    return Calendar(workspace.zone, quiet, everybody, begins, numbers, places)


def spread(session: Session, campaign_id: int, found: Calendar) -> None:
    """Put everybody in the frozen audience who has a history into the wave of their own best hour."""
    tests = {number: test for (test, _), number in found.numbers.items()}
    ids, waves = array("q"), array("h")
    with driver(session).cursor(binary=True) as cursor:
        for contact_id, wave, name, slots, counts in cursor.stream(READ, (campaign_id,), size=CHUNK):
            test = tests[wave]
            habits = Habits(Profile(store.kept(slots, counts)), found.everybody, found.quiet)
            at = choose(habits, zones_of(name, None, found.zone)[:-1], (), found.begins[test]).at
            if (number := found.numbers[test, at]) != wave:
                ids.append(contact_id)
                waves.append(number)
    if ids:
        session.execute(TABLE)
        copy_rows(session, "best_waves(contact_id, wave)", ("int8", "int2"), zip(ids, waves, strict=True))
        session.execute(ANALYZE)
        session.execute(MOVE, {"id": campaign_id})
