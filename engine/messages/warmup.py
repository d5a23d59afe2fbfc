"""Warming up: a new sender is let in by mailbox providers if it sends a little more each day.

An identity has so many messages a day, in all or to one recipient domain: `first`, then `growth` times as many on each
following day of the workspace's zone, until `until` are reached, which ends it. What is over waits for a later day, and
goes first to who has opened or clicked in the last three months. What a program asks for (a receipt) counts and goes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.errors import InvalidInput, NotFound
from engine.identities import store as identities
from engine.identities.values import OWN
from engine.messages import limits
from engine.messages.handed import Candidate
from engine.messages.limits import Held
from engine.messages.rates import domain_of

FIRST, GROWTH, UNTIL = 50, 2.0, 50_000
LATEST = 365
ENGAGED = dt.timedelta(days=90)
LATER = dt.timedelta(minutes=1)
"""Who is engaged comes due as the day begins, the others a minute later."""
WORDS = re.compile(r"\s*(\d{1,7})\s*,\s*x\s*(\d{1,2}(?:\.\d+)?)\s*,\s*(\d{1,9})\s*").fullmatch
NAMES = text("select distinct identity from warm_ups")
LISTED = text("select * from warm_ups order by identity, domain")
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
PUT = text("""
insert into warm_ups (identity, domain, first, growth, until, started_on)
values (:identity, :domain, :first, :growth, :until, :today)
on conflict (identity, domain) do update set first = :first, growth = :growth, until = :until
""")
GIVE_BACK = text("""
update warm_ups w set sent = greatest(0, w.sent - (
    select count(*) from unnest(cast(:names as text[]), cast(:domains as text[])) as u(identity, domain)
    where u.identity = w.identity and w.domain in ('', u.domain)))
where w.identity = any(cast(:names as text[])) and w.day = :today
""")
RELEASE = text("""
update messages set send_after = :now
where state = 'queued' and claimed_at is null and ended_at is null and reason = 'warm_up' and send_after > :now
    and send_after < 'infinity'
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

    def is_of(self, message: Candidate) -> bool:
        """Whether this message counts."""
        mine = message.identity is not None and message.identity.slug == self.identity
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
    """The identities that are warmed up, and the zone whose days count."""

    names: frozenset[str]
    zone: ZoneInfo


def names(session: Session) -> frozenset[str]:
    """Identities that are warmed up."""
    return frozenset(session.execute(NAMES).scalars())


def keep(session: Session, going: list[Candidate], warming: WarmingUp, now: dt.datetime) -> list[Candidate]:
    """Those that may go today; the others wait in the queue. The rows stay locked until the transaction ends."""
    wanted = warming.names & {each.identity.slug for each in going if each.identity is not None}
    if not wanted:
        return going
    today = now.astimezone(warming.zone).date()
    quotas = [Quota(row, today) for row in session.execute(LOCK, {"names": literal(sorted(wanted))})]
    readers = _readers(session, going, quotas, now)
    free, later = _divide(going, quotas, readers)
    _write(session, quotas, today)
    held = [Held(each, _begin(day, warming.zone, engaged=each.contact_id in readers)) for each, day in later]
    limits.hold(session, held, "warm_up")
    return free


def give_back(session: Session, untried: Sequence[Candidate], zone: ZoneInfo, now: dt.datetime) -> None:
    """Those did not leave after all, as no relay took them, and count again when they do."""
    sent = [each for each in untried if each.identity is not None]
    values = {
        "names": literal([each.identity.slug for each in sent if each.identity is not None]),
        "domains": literal([domain_of(each.recipient) for each in sent]),
        "today": now.astimezone(zone).date(),
    }
    session.execute(GIVE_BACK, values)


def _readers(session: Session, going: Sequence[Candidate], quotas: Sequence[Quota], now: dt.datetime) -> frozenset[int]:
    """Contacts who have opened or clicked lately; asked only when not all can go."""
    counts = {id(quota): sum(map(quota.is_of, going)) for quota in quotas}
    tight = [q for q in quotas if (most := q.allowance(q.today)) is not None and q.sent + counts[id(q)] > most]
    if not tight:
        return frozenset()
    contacts = [each.contact_id for each in going if any(quota.is_of(each) for quota in tight)]
    values = {"contacts": literal(contacts), "since": now - ENGAGED}
    return frozenset(session.execute(READERS, values).scalars())


def _divide(
    going: Sequence[Candidate], quotas: Sequence[Quota], readers: frozenset[int]
) -> tuple[list[Candidate], list[tuple[Candidate, dt.date]]]:
    free: list[Candidate] = []
    later: list[tuple[Candidate, dt.date]] = []
    for each in sorted(going, key=lambda one: (not one.transactional, one.contact_id not in readers)):
        mine = [quota for quota in quotas if quota.is_of(each)]
        full = next((quota for quota in mine if not quota.fits()), None)
        if full is not None and not each.transactional:
            later.append((each, full.put_off()))
            continue
        for quota in mine:
            quota.sent += 1
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


def parse(words: str) -> Plan:
    """`50, x2, 50000`: messages of the first day, times more each day, until so many. Raises InvalidInput."""
    found = WORDS(words or f"{FIRST}, x{GROWTH:g}, {UNTIL}")
    hint = "Write 50, x2, 50000: messages of the first day, times more each day, and where it ends."
    if found is None:
        raise InvalidInput(f"“{words}” is no plan", "plan", hint)
    plan = Plan(int(found[1]), float(found[2]), int(found[3]))
    if plan.first < 1 or not 1.01 <= plan.growth <= 10 or plan.until <= plan.first:
        raise InvalidInput(f"“{words}” does not grow, or grows more than tenfold a day", "plan", hint)
    return plan


def put(session: Session, name: str, words: str, today: dt.date) -> Plan:
    """Warm up IDENTITY, or IDENTITY/DOMAIN; another plan for one that goes on keeps its first day. Raises NotFound."""
    identity, domain = _named(name)
    identities.expect(session, identity)
    plan = parse(words)
    values = {"identity": identity, "domain": domain, "today": today, **plan._asdict()}
    session.execute(PUT, values)
    return plan


def remove(session: Session, name: str, now: dt.datetime) -> None:
    """End a warm-up; what waits because of one comes due now, and is held again if another one says so."""
    identity, domain = _named(name)
    query = text("delete from warm_ups where identity = :identity and domain = :domain returning identity")
    if not session.execute(query, {"identity": identity, "domain": domain}).all():
        raise NotFound("warm-up", name, "`cairn rates list` prints them.")
    session.execute(RELEASE, {"now": now})


def _named(name: str) -> tuple[str, str]:
    identity, _, domain = name.strip().lower().partition("/")
    if not identity or set(name) & set(" @\0"):
        raise InvalidInput("names no identity", name, f"Write shop, shop/gmail.com or {OWN}.")
    return identity, domain


class Standing(NamedTuple):
    """Where a warm-up stands: the day, from 1, of so many; the most of today (None: it is over), what went today."""

    name: str
    plan: Plan
    day: int
    days: int
    allowance: int | None
    sent: int

    def __str__(self) -> str:
        if self.allowance is None:
            return "is over"
        return f"day {self.day} of {self.days}: {self.sent:,} of {self.allowance:,} messages today ({self.plan})"


def listed(session: Session, zone: ZoneInfo, now: dt.datetime) -> list[Standing]:
    """All warm-ups."""
    today = now.astimezone(zone).date()
    found = []
    for row in session.execute(LISTED):
        quota = Quota(row, today)
        name = f"{row.identity}/{row.domain}" if row.domain else row.identity
        number = (today - row.started_on).days + 1
        found.append(Standing(name, quota.plan, number, quota.plan.days(), quota.allowance(today), quota.sent))
    return found


def by_identity(standings: Iterable[Standing]) -> Mapping[str, list[Standing]]:
    """The warm-ups of each identity."""
    found: dict[str, list[Standing]] = {}
    for each in standings:
        found.setdefault(each.name.partition("/")[0], []).append(each)
    return found
