"""When a campaign reaches whom: an instant for each zone, and the distance between messages. Pure.

A local time that a clock change skips is moved forward by the hour that is missing; of one that comes twice the first
counts. A contact of unknown zone lives in the workspace's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from engine.campaigns.definition import Definition
from engine.expr.schema import zone_info

DAY = dt.timedelta(days=1)
CLOSEST = dt.timedelta(microseconds=1)
FURTHEST_EAST = dt.timedelta(hours=14)
"""No clock on Earth is further ahead of UTC (Line Islands)."""


def start_of(definition: Definition, zone: ZoneInfo) -> dt.datetime | None:
    """When the audience is frozen: at the first contact's time. None: at once."""
    at = definition.at
    if at is None:
        return None
    if definition.local:
        return at.replace(tzinfo=dt.UTC) - FURTHEST_EAST
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(dt.UTC)


def instants(
    definition: Definition, zones: Iterable[str | None], workspace: ZoneInfo, now: dt.datetime, after: dt.datetime
) -> dict[str | None, dt.datetime]:
    """By name of zone, when its contacts get the message: not before `after`, for the campaign starts at `now`.

    With one time for all the only key is None, which stands for zones that are unknown too.
    """
    at = definition.at
    if not definition.local or at is None:
        return {None: max(after, start_of(definition, workspace) or now)}
    found: dict[str | None, dt.datetime] = {None: _local(definition, workspace, after)}
    for name in zones:
        if name and zone_info(name).key == name:
            found[name] = _local(definition, zone_info(name), after)
    return found


def _local(definition: Definition, zone: ZoneInfo, after: dt.datetime) -> dt.datetime:
    """The wall clock's instant; if that is over, by choice the same time of the next day that comes, or `after`."""
    assert definition.at is not None
    day, time = definition.at.date(), definition.at.time()
    instant = dt.datetime.combine(day, time, zone).astimezone(dt.UTC)
    if instant >= after:
        return instant
    if definition.passed == "now":
        return after
    day = max(day, after.astimezone(zone).date())
    while (instant := dt.datetime.combine(day, time, zone).astimezone(dt.UTC)) < after:
        day += DAY
    return instant


def spacing(definition: Definition) -> dt.timedelta:
    """The distance between two messages' `send_after`.

    Without a throttle it is the shortest that there is: it does not slow anything down, and lets the messages of
    campaigns that are sent at the same time alternate.
    """
    return max(CLOSEST, dt.timedelta(hours=1) / definition.throttle) if definition.throttle else CLOSEST
