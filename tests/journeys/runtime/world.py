"""A small world for whole-journey tests: publish, people, events, and time that passes when it is told to."""

from __future__ import annotations

import datetime as dt
import itertools
import textwrap
from collections import Counter
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import clock, partitions, segments
from engine.contacts.consent import ConsentChange, record_consent
from engine.contacts.identify import identify, set_attributes
from engine.contacts.profile import Profile
from engine.content import store
from engine.db import Database
from engine.events.record import NewEvent, record
from journeys.language.choice import read_choice
from journeys.language.parse import parse
from journeys.language.program import walk
from journeys.language.steps import Email, Sms
from journeys.publish import Published, publish
from journeys.runtime import catalogue as catalogues
from journeys.runtime import match, states
from tests.smtp import Receiver
from workers import virtual

START = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)  # a Monday
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
MAIL = """\
---
subject: Hello
---
<mjml><mj-body><mj-section><mj-column><mj-text>Hi <a href="https://x.example/">go</a></mj-text></mj-column></mj-section></mj-body></mjml>
"""


def journey(steps: str, frame: str = "", *, slug: str = "j", enter: str = "on: Signed Up") -> str:
    """A journey file; `frame` are further keys of it, `enter` the inside of that key."""
    body = textwrap.indent(textwrap.dedent(steps).strip(), "  ")
    return f"journey: {slug}\nenter: {{{enter}}}\n{textwrap.dedent(frame)}steps:\n{body}\n"


class World:
    """A workspace on a virtual clock that stands at START."""

    def __init__(self, database: Database, receiver: Receiver) -> None:
        self.database, self.receiver, self.numbers = database, receiver, itertools.count(1)
        with database.transaction() as session:
            clock.set_virtual(session, START)
            partitions.ensure_ahead(session, START, months=1)

    @property
    def now(self) -> dt.datetime:
        """The virtual instant."""
        with self.database.transaction() as session:
            return clock.now(session)

    # What the world's people and its marketer do ----------------------------------------------------------------------

    def publish(self, source: str, **choices: str) -> Published:
        """Make a journey live, with `step=choice`; the contents that it names are made first."""
        now = self.now
        with self.database.transaction() as session:
            for step in walk(parse(source).steps):
                if isinstance(step, Email | Sms):
                    store.save(session, MAIL if step.kind == "email" else "Hello", step.content, step.kind, now)
        with self.database.transaction() as session:
            chosen = {step.replace("_", "-"): read_choice(choice) for step, choice in choices.items()}
            return publish(session, source, now, "test", chosen)

    def state(self, slug: str, state: str) -> None:
        """Bring a journey into a state: live, paused, draining, stopped."""
        verb = next(verb for verb, after in states.STATES.items() if after == state)
        with self.database.transaction() as session:
            states.change(session, slug, verb, clock.now(session), "test")

    def contact(self, name: str | None = None, **values: Any) -> int:
        """A contact with an address; `timezone` and `phone` are columns, everything else attributes."""
        name = name or f"u{next(self.numbers)}"
        columns = {key: values.pop(key) for key in ("timezone", "phone", "email") if key in values}
        profile = Profile(**{"external_id": name, "email": f"{name}@x.example", "attributes": values} | columns)
        with self.database.transaction() as session:
            return identify(session, [profile], clock.now(session))[0]

    def change(self, contact_id: int, **values: Any) -> None:
        """Write attributes; None takes one away."""
        with self.database.transaction() as session:
            set_attributes(session, {contact_id: values}, clock.now(session))

    def consent(self, contact_id: int, action: str, topic: str = "", channel: str = "email") -> None:
        """The contact subscribes or unsubscribes."""
        with self.database.transaction() as session:
            said = ConsentChange(contact_id, channel, action, "form", topic)
            record_consent(session, [said], clock.now(session))

    def segment(self, slug: str, rule: str) -> None:
        """Save a segment and find its members."""
        with self.database.transaction() as session:
            segments.save(session, slug, rule)
            segments.refresh(session, slug, clock.now(session))

    def event(
        self,
        contact_id: int,
        name: str,
        *,
        at: dt.datetime | None = None,
        message_id: str | None = None,
        **properties: Any,
    ) -> str:
        """Record an event, now unless `at` says otherwise. Returns its message id."""
        message_id = message_id or f"m{next(self.numbers):06}"
        with self.database.transaction() as session:
            now = clock.now(session)
            new = NewEvent(contact_id, name, at or now, message_id, properties)
            assert record(session, [new], now).statuses == ("recorded",)
        return message_id

    # Time -------------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Do all that is due at this instant."""
        virtual.drain(self.database)

    def jump(self, length: dt.timedelta) -> None:
        """Put the clock forward and do nothing."""
        with self.database.transaction() as session:
            clock.set_virtual(session, clock.now(session) + length)

    def live(self, length: dt.timedelta) -> None:
        """Let time pass, and do all that falls due."""
        virtual.run_until(self.database, self.now + length)

    def match(self, session: Session, limit: int = 2000) -> int:
        """One batch of events, in a transaction of the caller's."""
        return match.match_events(session, catalogues.load(session), clock.now, limit)

    # What came of it --------------------------------------------------------------------------------------------------

    def execute(self, statement: str, **values: Any) -> list[Any]:
        """Rows of a statement, in a transaction of its own."""
        with self.database.transaction() as session:
            found = session.execute(text(statement), values)
            return list(found.all()) if found.returns_rows else []

    def path(self, contact_id: int) -> list[str]:
        """What happened to a contact, as `step:outcome` in order; entries and ends have no step."""
        rows = self.execute("select step_id, outcome from step_log where contact_id = :id order by id", id=contact_id)
        return [f"{step}:{outcome}" if step else outcome for step, outcome in rows]

    def log(self) -> Counter[str]:
        """How often each `step:outcome` happened."""
        rows = self.execute("select step_id, outcome from step_log")
        return Counter(f"{step}:{outcome}" if step else outcome for step, outcome in rows)

    def statuses(self, contact_id: int) -> list[str]:
        """The statuses of a contact's entries, oldest first."""
        rows = self.execute("select status from enrolments where contact_id = :id order by id", id=contact_id)
        return [status for (status,) in rows]

    def messages(self, contact_id: int) -> list[tuple[str, str]]:
        """(step, state) of a contact's messages, oldest first."""
        rows = self.execute("select step_id, state from messages where contact_id = :id order by id", id=contact_id)
        return [tuple(row) for row in rows]

    def wakes(self, contact_id: int) -> dt.datetime | None:
        """When the contact's active entry wakes."""
        [(moment,)] = self.execute(
            "select wake_at from enrolments where contact_id = :id and status = 'active'", id=contact_id
        )
        return moment

    def goals(self) -> list[tuple[int, float]]:
        """(contact, value) of goals met, in order."""
        rows = self.execute("select contact_id, value from conversions where kind = 'goal' order by id")
        return [(contact_id, float(value)) for contact_id, value in rows]
