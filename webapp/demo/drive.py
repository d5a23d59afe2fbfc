"""Ninety days in a minute or two: virtual time moves, people act over HTTP, and the site's own workers do the rest."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage

from redis import Redis
from sqlalchemy import text

from engine import clock, segments
from engine.db import Database
from engine.errors import CairnError
from webapp.demo.client import Client
from webapp.demo.people import Deed, Person, Town
from workers.due import due
from workers.enqueue import ring

TICK = dt.timedelta(hours=3)
SEGMENTS_EVERY = 4
PATIENCE = 60.0
PAUSE = 0.01
ADDRESS = re.compile(r"https?://[^\s\"'<>)]+/([ocu])/[A-Za-z0-9_-]+")
UNSEEN = re.compile(r"<a\b[^>]*display:none[^>]*>")  # the honeypot: people neither see nor follow it
SENDING = text("select exists (select from message_claims)")
ARRIVED = text("select id, channel, recipient, raw from local_messages where id > :after order by id")


class Stuck(CairnError):
    """The workers did not become quiet."""


@dataclass
class Drive:
    """The demo's course. `progress` is told the virtual time after each tick."""

    database: Database
    redis: Redis
    client: Client
    town: Town
    progress: Callable[[dt.datetime], None]
    seen: int = 0
    mailboxes: dict[str, Person] = field(default_factory=dict)

    def run(self) -> None:
        """From the town's start to its end."""
        for person in self.town.people:
            self.mailboxes[person.email] = person
            if person.phone:
                self.mailboxes[person.phone] = person
        now, ticks = self.town.start, 0
        while now < self.town.end:
            now = min(now + TICK, self.town.end)
            ticks += 1
            with self.database.transaction() as session:
                clock.set_virtual(session, now)
                if ticks % SEGMENTS_EVERY == 0:
                    segments.mark_stale(session)
            self._act(now)
            self._settle(now)
            self._read_mail(now)
            self.progress(now)

    def _act(self, now: dt.datetime) -> None:
        """Everything that people planned for this tick goes over HTTP."""
        deeds = list(self.town.due(now))
        calls = [call for moment, deed in deeds if deed.event for call in _calls(deed, moment)]
        if calls:
            self.client.record(calls)
        self.client.visit((deed.method, deed.url, deed.agent) for _, deed in deeds if deed.url)

    def _settle(self, now: dt.datetime) -> None:
        """Ring for what is due until nothing is, and nothing is on its way."""
        until = time.monotonic() + PATIENCE
        while True:
            with self.database.transaction() as session:
                names = [name for name in due(session, now) if name != "sweep"]
                sending = session.execute(SENDING).scalar_one()
            if not names and not sending:
                return
            if time.monotonic() > until:
                raise Stuck(f"Work stands still at {now:%Y-%m-%d %H:%M}: {', '.join(names) or 'sending'}. See var/log.")
            for name in names:
                ring(self.redis, name)
            time.sleep(PAUSE)

    def _read_mail(self, now: dt.datetime) -> None:
        with self.database.transaction() as session:
            arrived = session.execute(ARRIVED, {"after": self.seen}).all()
        for id_, channel, recipient, raw in arrived:
            self.seen = id_
            person = self.mailboxes[recipient]
            if channel == "sms":
                self.town.text(person, now)
            else:
                self.town.receive(person, now, *addresses(raw))


def addresses(raw: bytes) -> tuple[str, list[str], str]:
    """The pixel, the links that people see, and the unsubscribe address in a message."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    html = message.get_body(("html",))
    seen = UNSEEN.sub("", html.get_content()) if html else ""
    found = [(match[1], match[0]) for match in ADDRESS.finditer(seen)]
    links = list(dict.fromkeys(url for kind, url in found if kind == "c"))
    pixel = next(url for kind, url in found if kind == "o")
    return pixel, links, next(url for kind, url in found if kind == "u")


def _calls(deed: Deed, moment: dt.datetime) -> list[dict[str, object]]:
    """An event; who signs up is introduced first."""
    person = deed.person
    common: dict[str, object] = {"userId": person.external_id, "timestamp": moment.isoformat()}
    track: dict[str, object] = {"type": "track", "event": deed.event, "properties": deed.properties, **common}
    if deed.event != "Signed Up":
        return [track]
    traits: dict[str, object] = {"email": person.email, "first_name": person.name, "timezone": person.zone}
    if person.phone:
        traits["phone"] = person.phone
    return [{"type": "identify", "traits": traits, **common}, track]
