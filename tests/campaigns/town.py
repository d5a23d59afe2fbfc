"""A world with campaigns in it."""

from __future__ import annotations

from typing import Any

from engine import clock
from engine.campaigns import definition, report, states, store
from engine.campaigns.report import Report
from engine.contacts.identify import identify
from engine.contacts.profile import Profile
from engine.content import store as contents
from engine.model import Campaign
from tests.journeys.runtime.world import MAIL, World

PLAIN = {"campaign": "spring", "audience": "email is set", "content": "mail-a"}


class Town(World):
    """As `World`, with contents and campaigns."""

    def people(self, count: int, **values: Any) -> list[int]:
        """So many contacts, in one commit."""
        names = [f"u{next(self.numbers)}" for _ in range(count)]
        profiles = [Profile(external_id=name, email=f"{name}@x.example", attributes=values) for name in names]
        with self.database.transaction() as session:
            return list(identify(session, profiles, clock.now(session)))

    def content(self, *slugs: str, source: str = MAIL, channel: str = "email") -> None:
        """Save contents."""
        with self.database.transaction() as session:
            for slug in slugs:
                contents.save(session, source, slug, channel, clock.now(session), ours=True)

    def save(self, **values: Any) -> str:
        """Save a campaign; PLAIN unless said otherwise. Returns its slug."""
        found = definition.read({key: value for key, value in (PLAIN | values).items() if value is not None})
        for variant in found.variants:
            self.content(variant.content)
        with self.database.transaction() as session:
            return store.save(session, found, clock.now(session), "test").slug

    def do(self, verb: str, slug: str = "spring") -> None:
        """Start, pause, resume, cancel."""
        with self.database.transaction() as session:
            states.change(session, slug, verb, clock.now(session), "test")

    def start(self, **values: Any) -> str:
        """Save a campaign and start it."""
        slug = self.save(**values)
        self.do("start", slug)
        return slug

    def campaign(self, slug: str = "spring") -> Campaign:
        """The row."""
        with self.database.transaction() as session:
            return store.find(session, slug)

    def report(self, slug: str = "spring") -> Report:
        """Its figures."""
        with self.database.transaction() as session:
            return report.report(session, store.find(session, slug))

    def states(self) -> dict[str, int]:
        """Messages by state."""
        return {row[0]: row[1] for row in self.execute("select state, count(*) from messages group by 1 order by 1")}
