"""The shop's people and what they do: a seeded simulation. Nothing here knows how Cairn works inside."""

from __future__ import annotations

import datetime as dt
import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

FIRST_NAMES = (
    *("Ada", "Amir", "Ana", "Ben", "Chiara", "Dana", "Elif", "Emil", "Fatima", "Finn", "Grace", "Hana", "Ida", "Ivan"),
    *("Jonas", "Kofi", "Lea", "Luca", "Maja", "Mateo", "Mina", "Noah", "Nora", "Omar", "Pia", "Rosa", "Sam", "Sofia"),
    *("Tariq", "Tess", "Uma", "Viktor", "Wen", "Yara", "Zoë"),
)
ZONES = ("Europe/London", "Europe/Berlin", "America/New_York", "America/Los_Angeles", "Australia/Sydney")
COFFEES = (("Kochere", 14.5), ("Huila", 12.0), ("Yirgacheffe", 15.5), ("Sumatra Gayo", 13.0), ("House espresso", 10.5))
SPARE_PEOPLE = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"
)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
GATEWAY = "Mozilla/5.0 (compatible; Barracuda Sentinel 1.0)"
HISTORY_DAYS = 60


@dataclass
class Person:
    """A customer. `visits` is the mean number of visits a day; `keen` how readily a message moves them, 0..1."""

    number: int
    name: str
    zone: str
    phone: str | None
    consents_to_sms: bool
    visits: float
    keen: float
    gmail: bool
    guarded: bool  # a security gateway looks at their mail first
    joined: dt.datetime

    @property
    def external_id(self) -> str:
        """The shop's own number."""
        return f"c-{self.number:05}"

    @property
    def email(self) -> str:
        """A name that cannot receive mail anywhere (RFC 2606)."""
        return f"customer{self.number}@harbour.example"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a person does: an event with properties, or a request to an address that a message carried."""

    person: Person
    event: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    url: str = ""
    agent: str = SPARE_PEOPLE
    method: str = "GET"


class Town:
    """All people of the shop with their plans, in a queue by time."""

    def __init__(self, start: dt.datetime, days: int, people: int, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.start, self.end = start, start + dt.timedelta(days=days)
        self.people = [self._person(number, people) for number in range(people)]
        self._queue: list[tuple[dt.datetime, int, Deed]] = []
        self._count = 0
        for person in self.people:
            self._plan_life(person)

    def _person(self, number: int, people: int) -> Person:
        """Two in three are customers already; the others sign up in the course of time."""
        draw = self.random
        known = number < people * 2 // 3
        joined = self.start - dt.timedelta(days=HISTORY_DAYS)
        if not known:
            joined = self.start + (self.end - self.start) * draw.random()
        phone = f"+4477009{number % 100_000:05}" if draw.random() < 0.5 else None
        return Person(
            number,
            draw.choice(FIRST_NAMES),
            draw.choice(ZONES),
            phone,
            phone is not None and draw.random() < 0.6,
            draw.gammavariate(2, 0.035),
            draw.betavariate(2, 3),
            draw.random() < 0.4,
            draw.random() < 0.08,
            joined,
        )

    def _plan_life(self, person: Person) -> None:
        if person.joined > self.start:
            self.plan(person.joined, Deed(person, "Signed Up", {"plan": "free"}))
        moment = person.joined
        while True:
            moment += dt.timedelta(days=self.random.expovariate(person.visits))
            if moment >= self.end:
                return
            self._visit(person, moment)

    def _visit(self, person: Person, moment: dt.datetime) -> None:
        """A look at something; sometimes a checkout; of these more than half end with an order."""
        draw = self.random
        coffee, price = draw.choice(COFFEES)
        self.plan(moment, Deed(person, "Product Viewed", {"product": coffee, "price": price}))
        if draw.random() > 0.45:
            return
        total = round(price * draw.choice((1, 1, 2, 2, 3, 4)), 2)
        cart = {"cart_id": f"k{person.number}-{self._count}", "product": coffee, "total": total}
        self.plan(moment + dt.timedelta(minutes=4), Deed(person, "Checkout Started", cart))
        if draw.random() < 0.55:
            self.order(person, moment + dt.timedelta(minutes=draw.uniform(6, 40)), coffee, total)

    def order(self, person: Person, moment: dt.datetime, coffee: str, total: float) -> None:
        """Plan an order."""
        self.plan(moment, Deed(person, "Order Completed", {"product": coffee, "revenue": total, "currency": "USD"}))

    def plan(self, moment: dt.datetime, deed: Deed) -> None:
        """Put a deed into the queue."""
        self._count += 1
        heapq.heappush(self._queue, (moment, self._count, deed))

    def due(self, now: dt.datetime) -> Iterator[tuple[dt.datetime, Deed]]:
        """Take what is planned up to `now`, in order."""
        while self._queue and self._queue[0][0] <= now:
            moment, _, deed = heapq.heappop(self._queue)
            yield moment, deed

    def receive(self, person: Person, now: dt.datetime, pixel: str, links: list[str], unsubscribe: str) -> None:
        """What a person makes of an email: a gateway's look, an open, a click, an order, a good-bye."""
        draw = self.random
        if person.guarded:
            for link in links[:3]:
                self.plan(now, Deed(person, url=link, agent=GATEWAY, method="HEAD"))
        if draw.random() > 0.35 + 0.4 * person.keen:
            return
        moment = now + dt.timedelta(hours=draw.expovariate(1 / 7))
        self.plan(moment, Deed(person, url=pixel, agent=GMAIL if person.gmail else SPARE_PEOPLE))
        if links and draw.random() < 0.15 + 0.45 * person.keen:
            moment += dt.timedelta(minutes=draw.uniform(1, 5))
            self.plan(moment, Deed(person, url=draw.choice(links)))
            self._tempted(person, moment, 0.4)
        elif draw.random() < 0.012:
            self.plan(moment, Deed(person, url=unsubscribe, method="POST"))

    def text(self, person: Person, now: dt.datetime) -> None:
        """What a person makes of a text message."""
        self._tempted(person, now + dt.timedelta(minutes=20), 0.25)

    def _tempted(self, person: Person, moment: dt.datetime, chance: float) -> None:
        if self.random.random() < chance:
            coffee, price = self.random.choice(COFFEES)
            total = round(price * self.random.choice((1, 2, 2, 3)), 2)
            self.order(person, moment + dt.timedelta(minutes=self.random.uniform(5, 60)), coffee, total)
