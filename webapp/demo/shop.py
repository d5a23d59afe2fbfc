"""Setting the shop up: its workspace, contents, segments, journeys, and the history that it brings along."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from collections.abc import Iterable
from decimal import Decimal
from importlib import resources
from pathlib import Path

from sqlalchemy.orm import Session

from engine import clock, partitions, users, workspace
from engine.content import store
from engine.db import Database
from engine.imports.contacts import import_contacts
from engine.imports.events import import_events
from engine.model import Cost, Topic
from engine.segments import save as save_segment
from journeys.publish import publish
from webapp.demo.people import COFFEES, Town

SEGMENTS = {
    "lapsed": 'purchased at least 1 time and not did "Order Completed" in the last 45 days',
    "regulars": "purchased at least 3 times in the last 90 days",
    "sms-yes": "phone is set and consents to sms",
}
TOPICS = {"news": "News from the roastery", "orders": "About your order"}
PRODUCTION = Decimal(240)
JOURNEYS = ("welcome", "abandoned-cart", "win-back")


def open_shop(database: Database, town: Town) -> str:
    """Prepare everything at the town's start on the virtual clock. Returns the API key of the shop's server."""
    with database.transaction() as session:
        clock.set_virtual(session, town.start)
        partitions.ensure_ahead(session, town.start, months=4)
        workspace.save(
            session,
            name="Harbour Coffee",
            sender_name="Harbour Coffee",
            sender_address="hello@harbour.example",
            postal_address="12 Quay Street, Bristol BS1 4RA",
        )
        session.add_all(Topic(slug=slug, name=name, created_at=town.start) for slug, name in TOPICS.items())
        session.add(Cost(kind="fixed", name="Server and mail relay", amount=Decimal(90), valid_from=town.start))
        key = users.create_api_key(session, "Demo shop")
    _bring_history(database, town)
    with database.transaction() as session:
        _publish(session, town.start)
    return key


def _publish(session: Session, now: dt.datetime) -> None:
    folder = resources.files("webapp.demo")
    for file in sorted(folder.joinpath("content").iterdir(), key=lambda file: file.name):
        name = Path(file.name)
        store.save(session, file.read_text(encoding="utf-8"), name.stem, store.channels[name.suffix], now)
    for slug, rule in SEGMENTS.items():
        save_segment(session, slug, rule)
    for slug in JOURNEYS:
        text = folder.joinpath("journeys", f"{slug}.yaml").read_text(encoding="utf-8")
        journey_id = publish(session, text, now, "demo").journey.id
        session.add(
            Cost(kind="fixed", journey_id=journey_id, name="Text and design", amount=PRODUCTION, valid_from=now)
        )


def _bring_history(database: Database, town: Town) -> None:
    """Customers of before, and their orders of the last two months, by the importers that everybody uses."""
    known = [person for person in town.people if person.joined < town.start]
    with tempfile.TemporaryDirectory(prefix="cairn-demo-") as folder:
        contacts, texted, events = (Path(folder) / name for name in ("contacts.csv", "texted.csv", "events.csv"))
        header = ["external_id", "email", "phone", "timezone", "first_name"]
        rows = [[p.external_id, p.email, p.phone or "", p.zone, p.name] for p in known]
        _write(contacts, header, rows)
        _write(texted, header, [row for row, p in zip(rows, known, strict=True) if p.consents_to_sms])
        _write(events, ["external_id", "name", "occurred_at", "message_id", "product", "revenue"], _orders(town))
        kept = Path(folder)
        import_contacts(database, contacts, now=town.start, folder=kept)
        import_contacts(database, texted, now=town.start, folder=kept, consent=("sms",))
        import_events(database, events, now=town.start, folder=kept, virtual=True)


def _orders(town: Town) -> Iterable[list[object]]:
    draw = town.random
    for person in town.people:
        if person.joined >= town.start:
            continue
        moment = person.joined
        while (moment := moment + dt.timedelta(days=draw.expovariate(person.visits * 0.25))) < town.start:
            coffee, price = draw.choice(COFFEES)
            number = f"history-{person.number}-{moment:%Y%m%d%H%M%S}"
            yield [person.external_id, "Order Completed", moment.isoformat(), number, coffee, round(price * 2, 2)]


def _write(path: Path, header: list[str], rows: Iterable[list[object]] | Iterable[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def start_of(end: dt.datetime, days: int) -> dt.datetime:
    """The first instant of a demo that ends at `end`."""
    return end.replace(minute=0, second=0, microsecond=0) - dt.timedelta(days=days)
