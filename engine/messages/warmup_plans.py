"""Plans for warming up: how they are written, begun, ended, and where they stand today."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.errors import InvalidInput, NotFound
from engine.identities import store as identities
from engine.identities.values import OWN
from engine.messages.warmup import Plan, Quota

FIRST, GROWTH, UNTIL = 50, 2.0, 50_000
WORDS = re.compile(r"\s*(\d{1,7})\s*,\s*x\s*(\d{1,2}(?:\.\d+)?)\s*,\s*(\d{1,9})\s*").fullmatch
RELAY = re.compile(r"(?:[a-z]+://)?[^/\s]+:\d{1,5}|[a-z]+://[^/\s]+").fullmatch
"""HOST:PORT, or a vendor's interface with its kind: what no identity is called."""
LISTED = text("select * from warm_ups order by identity, domain")
PUT = text("""
insert into warm_ups (identity, domain, first, growth, until, started_on)
values (:identity, :domain, :first, :growth, :until, :today)
on conflict (identity, domain) do update set first = :first, growth = :growth, until = :until
""")
WAITING = text("""
select count(*) from messages
where state = 'queued' and claimed_at is null and ended_at is null and reason = 'warm_up'
""")
RELEASE = text("""
update messages set send_after = :now
where state = 'queued' and claimed_at is null and ended_at is null and reason = 'warm_up' and send_after > :now
    and send_after < 'infinity'
""")


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
    """Warm up an IDENTITY or a RELAY, or either /DOMAIN; another plan for one that goes on keeps its first day.

    A relay is named as people see it, HOST:PORT. Raises NotFound where there is no such identity.
    """
    identity, domain = _named(name)
    if not RELAY(identity):
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
    kind, slashes, rest = name.strip().lower().rpartition("://")
    identity, _, domain = rest.partition("/")
    identity = kind + slashes + identity
    if not identity or set(name) & set(" @\0"):
        hint = f"Write shop, shop/gmail.com, {OWN}, or a relay as mx1.example.com:587."
        raise InvalidInput("names no identity and no relay", name, hint)
    return identity, domain


class Standing(NamedTuple):
    """Where a warm-up `of` an identity or a relay stands (to a recipient `domain`, empty for all).

    The day, from 1, of so many; the most of today (None: it is over) and of tomorrow, what went today; `ends_on` is the
    first day without a limit.
    """

    of: str
    domain: str
    plan: Plan
    day: int
    days: int
    allowance: int | None
    tomorrow: int | None
    sent: int
    ends_on: dt.date

    @property
    def name(self) -> str:
        """As commands take it."""
        return f"{self.of}/{self.domain}" if self.domain else self.of

    def __str__(self) -> str:
        if self.allowance is None:
            return "is over"
        return f"day {self.day} of {self.days}: {self.sent:,} of {self.allowance:,} messages today ({self.plan})"


def listed(session: Session, zone: ZoneInfo, now: dt.datetime) -> list[Standing]:
    """All warm-ups."""
    today = now.astimezone(zone).date()
    return [_standing(Quota(row, today), today) for row in session.execute(LISTED)]


def _standing(quota: Quota, today: dt.date) -> Standing:
    days, tomorrow = quota.plan.days(), today + dt.timedelta(days=1)
    return Standing(
        of=quota.identity,
        domain=quota.domain,
        plan=quota.plan,
        day=(today - quota.started_on).days + 1,
        days=days,
        allowance=quota.allowance(today),
        tomorrow=quota.allowance(tomorrow),
        sent=quota.sent,
        ends_on=quota.started_on + dt.timedelta(days=days),
    )


def waiting(session: Session) -> int:
    """How many messages wait for a day with room."""
    return int(session.execute(WAITING).scalar_one())


def by_name(standings: Iterable[Standing]) -> Mapping[str, list[Standing]]:
    """The warm-ups of each identity and relay."""
    found: dict[str, list[Standing]] = {}
    for each in standings:
        found.setdefault(each.of, []).append(each)
    return found
