"""Warming up: a new sender is let in by mailbox providers if it sends a little more each day.

An identity, or a relay, has so many messages a day, in all or to one recipient domain: `first`, then `growth` times as
many on each following day of the workspace's zone, until `until` are reached, which ends it. What is over waits for a
later day, and goes first to who has opened or clicked in the last three months. What a program asks for (a receipt)
counts and goes. How plans are made is told in `engine.messages.warmup_plans`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.messages import limits
from engine.messages.handed import Candidate
from engine.messages.limits import Held
from engine.messages.rates import domain_of

LATEST = 365
ENGAGED = dt.timedelta(days=90)
LATER = dt.timedelta(minutes=1)
"""Who is engaged comes due as the day begins, the others a minute later."""
NAMES = text("select distinct identity from warm_ups")
LOCK = text("""
select * from warm_ups where identity = any(cast(:names as text[])) order by identity, domain for update""")
WRITE = text("""
update warm_ups w set day = :today, sent = u.sent, tail_day = u.tail_day, tail = u.tail
from unnest(cast(:names as text[]), cast(:domains as text[]), cast(:sent as bigint[]), cast(:tail_day as date[]),
    cast(:tail as bigint[])) as u(identity, domain, sent, tail_day, tail)
where w.identity = u.identity and w.domain = u.domain
""")
READERS = text("""
select u.contact_id from unnest(cast(:contacts as bigint[])) as u(contact_id)
where exists (select from messages m where m.contact_id = u.contact_id
    and greatest(m.first_open_at, m.first_click_at) > :since)
""")
GIVE_BACK = text("""
update warm_ups w set sent = greatest(0, w.sent - (
    select count(*) from unnest(cast(:names as text[]), cast(:domains as text[])) as u(identity, domain)
    where u.identity = w.identity and w.domain = u.domain))
where w.identity = any(cast(:names as text[])) and w.day = :today
""")


class Plan(NamedTuple):
    """The messages of the first day, how many times more each day has, and where it ends."""

    first: int
    growth: float
    until: int

    def allowance(self, number: int) -> int | None:
        """The most of a day, 0 being the first; None once it is over."""
        if number < 0:
            return self.first
        found = self.first * self.growth ** min(number, LATEST)
        return int(found) if found < self.until else None

    def days(self) -> int:
        """How many days are limited."""
        return next((number for number in range(LATEST) if self.allowance(number) is None), LATEST)

    def __str__(self) -> str:
        return f"{self.first}, x{self.growth:g}, {self.until}"


class Quota:
    """A warm-up in use on a day: what is left of it, and the next day with room."""

    def __init__(self, row: Any, today: dt.date) -> None:
        self.identity, self.domain, self.started_on, self.today = row.identity, row.domain, row.started_on, today
        self.plan = Plan(row.first, row.growth, row.until)
        self.sent = row.sent if row.day == today else 0
        later = row.tail_day is not None and row.tail_day > today
        self.tail_day: dt.date
        self.tail: int
        self.tail_day, self.tail = (row.tail_day, row.tail) if later else (today + dt.timedelta(days=1), 0)

    def allowance(self, day: dt.date) -> int | None:
        """The most of that day."""
        return self.plan.allowance((day - self.started_on).days)

    def is_of(self, message: Candidate, relay: str) -> bool:
        """Whether this message, which goes through that relay, counts."""
        mine = relay == self.identity or (message.identity is not None and message.identity.slug == self.identity)
        return mine and self.domain in ("", domain_of(message.recipient))

    def fits(self) -> bool:
        """Whether one more may go today."""
        most = self.allowance(self.today)
        return most is None or self.sent < most

    def put_off(self) -> dt.date:
        """The day on which one more may come."""
        most = self.allowance(self.tail_day)
        if most is not None and self.tail >= most:
            self.tail_day, self.tail = self.tail_day + dt.timedelta(days=1), 0
        self.tail += 1
        return self.tail_day


class WarmingUp(NamedTuple):
    """Identities and relays that are warmed up, the zone whose days count, the relay that a message goes through."""

    names: frozenset[str]
    zone: ZoneInfo
    relay: Callable[[Candidate], str] = lambda _: ""


def names(session: Session) -> frozenset[str]:
    """Identities and relays that are warmed up."""
    return frozenset(session.execute(NAMES).scalars())


def keep(session: Session, going: list[Candidate], warming: WarmingUp, now: dt.datetime) -> list[Candidate]:
    """Those that may go today; the others wait in the queue. The rows stay locked until the transaction ends."""
    slugs = {each.identity.slug for each in going if each.identity is not None}
    wanted = warming.names & (slugs | {warming.relay(each) for each in going})
    if not wanted:
        return going
    today = now.astimezone(warming.zone).date()
    quotas = [Quota(row, today) for row in session.execute(LOCK, {"names": literal(sorted(wanted))})]
    mine = {each.id: [one for one in quotas if one.is_of(each, warming.relay(each))] for each in going}
    readers = _readers(session, going, mine, now)
    free, later = _divide(going, mine, readers)
    _write(session, quotas, today)
    held = [Held(each, _begin(day, warming.zone, engaged=each.contact_id in readers)) for each, day in later]
    limits.hold(session, held, "warm_up")
    return free


def give_back(session: Session, untried: Iterable[Candidate], zone: ZoneInfo, now: dt.datetime) -> None:
    """Those did not leave after all, as no relay took them, and count again when they do."""
    counted = [name for each in untried for name in each.warming]
    values = {
        "names": literal([identity for identity, _ in counted]),
        "domains": literal([domain for _, domain in counted]),
        "today": now.astimezone(zone).date(),
    }
    session.execute(GIVE_BACK, values)


def _readers(
    session: Session, going: Sequence[Candidate], mine: Mapping[int, list[Quota]], now: dt.datetime
) -> frozenset[int]:
    """Contacts who have opened or clicked lately; asked only when not all can go."""
    counts = Counter(id(quota) for quotas in mine.values() for quota in quotas)
    tight = {
        id(quota)
        for quotas in mine.values()
        for quota in quotas
        if (most := quota.allowance(quota.today)) is not None and quota.sent + counts[id(quota)] > most
    }
    contacts = [each.contact_id for each in going if any(id(quota) in tight for quota in mine[each.id])]
    if not contacts:
        return frozenset()
    values = {"contacts": literal(contacts), "since": now - ENGAGED}
    return frozenset(session.execute(READERS, values).scalars())


def _divide(
    going: Sequence[Candidate], mine: Mapping[int, list[Quota]], readers: frozenset[int]
) -> tuple[list[Candidate], list[tuple[Candidate, dt.date]]]:
    free: list[Candidate] = []
    later: list[tuple[Candidate, dt.date]] = []
    for each in sorted(going, key=lambda one: (not one.transactional, one.contact_id not in readers)):
        full = next((quota for quota in mine[each.id] if not quota.fits()), None)
        if full is not None and not each.transactional:
            later.append((each, full.put_off()))
            continue
        for quota in mine[each.id]:
            quota.sent += 1
        each.warming = tuple((quota.identity, quota.domain) for quota in mine[each.id])
        free.append(each)
    return free, later


def _begin(day: dt.date, zone: ZoneInfo, *, engaged: bool) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), zone) + (dt.timedelta(0) if engaged else LATER)


def _write(session: Session, quotas: Iterable[Quota], today: dt.date) -> None:
    used = list(quotas)
    values = {
        "today": today,
        "names": literal([each.identity for each in used]),
        "domains": literal([each.domain for each in used]),
        "sent": literal([each.sent for each in used]),
        "tail_day": literal([each.tail_day.isoformat() for each in used]),
        "tail": literal([each.tail for each in used]),
    }
    session.execute(WRITE, values)
