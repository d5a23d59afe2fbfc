"""The twelve contacts of `contacts.yaml`, as facts in memory and as rows of a database."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.expr import EventFact, EventKey, Facts, MessageFact, Schema
from engine.expr.literals import parse_moment
from engine.model import Enrolment
from tests.engine.expr.population import Resident, settle

HERE = Path(__file__).parent
NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
ZONE = "Europe/Berlin"
SCHEMA = Schema(zone=ZONE)
TOPICS = {"news": "subscribed", "offers": "unsubscribed"}
ALL_TIME = "2000-01-01"


@cache
def names() -> list[str]:
    """The contacts' names, in the order of their ids, which count from 1."""
    return list(_written())


@cache
def residents() -> list[Resident]:
    """The contacts; `entered` holds as well what is known of each inside the journey `trial`."""
    return [_resident(number, name, known) for number, (name, known) in enumerate(_written().items(), 1)]


def build(session: Session) -> None:
    """Write them down; only those whose stays name the journey are still in it."""
    settle(session, residents())
    # An enrolment that has ended serves the journey's rules as well, and is no membership any more.
    inside = [one.id for one in residents() if "trial" in one.facts.journeys]
    for entry in session.scalars(select(Enrolment).where(Enrolment.contact_id.not_in(inside))):
        entry.status, entry.phase, entry.ended_at = "completed", "done", NOW


def _written() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = YAML(typ="safe").load((HERE / "contacts.yaml").read_text("utf-8"))
    return found


def _moment(text: str) -> dt.datetime:
    found = parse_moment(text)
    assert found is not None, text
    return found


def _resident(number: int, name: str, known: dict[str, Any]) -> Resident:
    events = [(_event(f"{name}-{place:02}", row), "entry" in row) for place, row in enumerate(known.get("events", []))]
    stays = tuple(_stay(*stay) for stay in known.get("stays", []))
    inside = {
        (kind, slug) for kind, slug, start, end in stays if start <= NOW and (end is None or end > NOW)
    }  # fmt: skip
    groups = {kind: frozenset(slug for k, slug in inside if k == kind) for kind in ("segment", "list", "journey")}
    facts = Facts(
        email=known.get("email"), phone=known.get("phone"), timezone=known.get("timezone"), locale=known.get("locale"),
        external_id=name, created_at=_moment(known["created_at"]), attributes=known.get("attributes", {}),
        events=tuple(event for event, _ in events), consent=_consent(known.get("consent", {})), topics=TOPICS,
        messages=tuple(MessageFact(_moment(at), *rest) for at, *rest in known.get("messages", [])),
        segments=groups["segment"], lists=groups["list"], journeys=groups["journey"], zone=ZONE,
    )  # fmt: skip
    trigger = next((event for event, enters in events if enters), EventFact("entered by a program", NOW, NOW, name, {}))
    since = _moment(known["step_since"]) if "step_since" in known else trigger.occurred_at + dt.timedelta(hours=1)
    entered = facts._replace(
        entry=EventKey(*trigger.key), step_since=since, event=trigger.properties, journey="trial"
    )  # fmt: skip
    return Resident(number, facts, entered, tuple(stay for stay in stays if stay[0] != "journey"), NOW)


def _event(message_id: str, row: list[Any]) -> EventFact:
    name, at, *rest = row
    properties = next((part for part in rest if isinstance(part, dict)), {})
    late = next((part for part in rest if isinstance(part, int)), 0)
    return EventFact(name, _moment(at), _moment(at) + dt.timedelta(seconds=late), message_id, properties)


def _stay(kind: str, slug: str, start: str = ALL_TIME, end: str | None = None) -> tuple[Any, ...]:
    return kind, slug, _moment(start), _moment(end) if end else None


def _consent(said: dict[str, str]) -> dict[tuple[str, str], str]:
    return {tuple((*about.split(" "), "")[:2]): state for about, state in said.items()}  # type: ignore[misc]
