"""When the messages leave, and whether that is at an hour at which people sleep."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.campaigns import audience, schedule
from engine.campaigns.definition import Definition
from engine.campaigns.preflight.findings import Finding
from engine.expr.schema import zone_info
from engine.messages.limits import Limits
from engine.model import Contact
from engine.quiet import Hours, over_at
from engine.segments import planning
from engine.segments.planning import planned
from engine.workspace import Workspace

NIGHT = Hours(dt.time(21), dt.time(8))


def findings(session: Session, definition: Definition, known: Workspace, now: dt.datetime) -> Iterator[Finding]:
    """For whom it comes due in the workspace's quiet hours; without any, before 8 or after 21 o'clock."""
    if definition.best:
        return  # hours at which it is quiet are not chosen
    limits = Limits.of(known)
    hours = None if definition.topic in limits.unlimited else limits.quiet.get(definition.channel)
    zones = _zones(session, definition, now)
    instants = schedule.instants(definition, [zone for zone in zones if zone], known.zone, now, now)
    asleep = 0
    for name, count in zones.items():
        zone = zone_info(name) if name and zone_info(name).key == name else known.zone
        at = instants.get(name, instants[None])
        if over_at(hours or NIGHT, (zone,), at) is not None:
            asleep += count
    if asleep and hours is not None:
        message = f"{asleep:,} contacts wait until their quiet hours ({hours}) are over."
        yield Finding("note", "quiet", message, "Let it go at an hour of each contact's zone.", asleep)
    elif asleep:
        severity = "warning" if definition.channel == "sms" else "note"
        message = f"{asleep:,} contacts would get it between 21 and 8 o'clock of their own time."
        yield Finding(severity, "quiet", message, "Let it go at an hour of each contact's zone.", asleep)  # type: ignore[arg-type]


def _zones(session: Session, definition: Definition, now: dt.datetime) -> dict[str | None, int]:
    ids = audience.contacts(session, definition, now).subquery()
    grouped = select(Contact.timezone, func.count()).join(ids, ids.c.id == Contact.id).group_by(Contact.timezone)
    with planned(session, planning.ALL):
        return {row[0]: row[1] for row in session.execute(grouped)}


def finish(
    session: Session, definition: Definition, known: Workspace, messages: int, now: dt.datetime
) -> dt.datetime | None:
    """When the last message is due; None for one that leaves as fast as the mail server takes it."""
    if definition.best:
        first_at = max(now, schedule.start_of(definition, known.zone) or now)
        rest = schedule.DAY + definition.winner.after if definition.winner is not None else dt.timedelta()
        last = first_at + schedule.DAY + rest
        return max(last, first_at + messages * schedule.spacing(definition)) if definition.throttle else last
    zones = [zone for zone in _zones(session, definition, now) if zone] if definition.local else []
    first = schedule.instants(definition, zones, known.zone, now, now)
    last = max(first.values())
    if definition.winner is not None:
        known_at = last + definition.winner.after
        last = max(schedule.instants(definition, zones, known.zone, now, known_at).values())
    if definition.throttle:
        return max(last, min(first.values()) + messages * schedule.spacing(definition))
    return last if last > now else None
