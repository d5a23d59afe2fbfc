"""Paces: so many messages a second to a recipient domain, or through a relay, counted by all senders together.

A row of `rates` holds the instant up to which its pace is used up. What would come sooner is put off: `send_after`
moves to the next free instant, so that nobody has to wait or to ask again. A domain that says "too fast" (421, 4.7.x)
is halved, and gets its pace back step by step; others go on at full speed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.channels.provider import Result
from engine.errors import InvalidInput, NotFound
from engine.messages.handed import Candidate
from engine.messages.limits import Held

BURST = dt.timedelta(seconds=2)
HORIZON = dt.timedelta(minutes=30)  # nobody plans further: the queue may have changed until then
RECOVERY = dt.timedelta(minutes=5)
MOST_HALVINGS, SLOWEST = 8, 1 / 60
UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}
WORDS = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*(s|min|h)\s*").fullmatch
NAMES = text("select name from rates")
LOCK = text("select * from rates where name = any(cast(:names as text[])) order by name for update")
WRITE = text("""
update rates r set free_at = u.free_at, tail_at = u.tail_at
from unnest(cast(:names as text[]), cast(:free as timestamptz[]), cast(:tail as timestamptz[]))
    as u(name, free_at, tail_at)
where r.name = u.name
""")
LEFT = """
coalesce(greatest(0, r.slow - floor(extract(epoch from cast(:now as timestamptz) - r.slowed_at) / :recovery)), 0)
"""
SLOW = text(f"""
insert into rates as r (name, measured, slow, slowed_at)
select name, measured, 1, :now
from unnest(cast(:names as text[]), cast(:measured as float[])) as u(name, measured)
order by name
on conflict (name) do update set slowed_at = :now, slow = least({LEFT} + 1, :most),
    measured = case when {LEFT} > 0 then r.measured else excluded.measured end
where coalesce(r.slowed_at, '-infinity') < cast(:now as timestamptz) - interval '10 seconds'
""")
SET = text("""
insert into rates (name, per_second) values (:name, :pace)
on conflict (name) do update set per_second = :pace, slow = 0, slowed_at = null, free_at = null, tail_at = null
""")


@dataclass(slots=True)
class Bucket:
    """A pace in use: `apart` is the time between two messages, `free_at` and `tail_at` as in the table."""

    name: str
    apart: dt.timedelta
    free_at: dt.datetime
    tail_at: dt.datetime

    def fits(self, now: dt.datetime) -> bool:
        """Whether one more may go."""
        return self.free_at + self.apart <= now

    def take(self) -> None:
        """One goes."""
        self.free_at += self.apart

    def put_off(self, now: dt.datetime) -> dt.datetime:
        """When one that does not fit may come again."""
        self.tail_at = max(self.tail_at, self.free_at, now) + self.apart
        if self.tail_at > now + HORIZON:
            self.tail_at = now + HORIZON
        return self.tail_at


def names(session: Session) -> frozenset[str]:
    """Domains and relays that have a pace."""
    return frozenset(session.execute(NAMES).scalars())


def _domain(message: Candidate) -> str:
    return domain_of(message.recipient)


def domain_of(address: str) -> str:
    """Of a recipient."""
    return address.rpartition("@")[2].lower()


def halvings(row: Any, now: dt.datetime) -> int:
    """How often the pace is halved now."""
    if not row.slow or row.slowed_at is None:
        return 0
    return max(0, int(row.slow) - int((now - row.slowed_at) / RECOVERY))


def current(row: Any, now: dt.datetime) -> float | None:
    """Messages a second at this moment; None without a limit."""
    left = halvings(row, now)
    base: float | None = row.per_second if row.per_second is not None or not left else row.measured
    return None if base is None else max(base / 2**left, min(base, SLOWEST))


def _bucket(row: Any, now: dt.datetime) -> Bucket | None:
    a_second = current(row, now)
    if a_second is None:
        return None
    apart = dt.timedelta(seconds=1 / a_second)
    rested = now - max(BURST, apart)
    return Bucket(row.name, apart, max(row.free_at or rested, rested), row.tail_at or now)


class Pace(NamedTuple):
    """The names that have a pace, and the relay that a message goes through."""

    known: frozenset[str]
    relay: Callable[[Candidate], str] = lambda _: ""


def keep_pace(
    session: Session, going: Sequence[Candidate], pace: Pace | None, now: dt.datetime
) -> tuple[list[Candidate], list[Held]]:
    """Who may go now, and who may come again when. The rows stay locked until the transaction ends."""
    if pace is None or not pace.known:
        return list(going), []
    wanted = pace.known & {name for each in going for name in (domain_of(each.recipient), pace.relay(each))}
    if not going or not wanted:
        return list(going), []
    rows = session.execute(LOCK, {"names": literal(sorted(wanted))}).all()
    buckets = {row.name: bucket for row in rows if (bucket := _bucket(row, now)) is not None}
    free, held = _divide(going, buckets, pace.relay, now)
    used = list(buckets.values())
    session.execute(
        WRITE,
        {
            "names": literal([each.name for each in used]),
            "free": literal([each.free_at for each in used]),
            "tail": literal([each.tail_at for each in used]),
        },
    )
    return free, held


def _divide(
    going: Sequence[Candidate], buckets: Mapping[str, Bucket], relay: Callable[[Candidate], str], now: dt.datetime
) -> tuple[list[Candidate], list[Held]]:
    free: list[Candidate] = []
    held: list[Held] = []
    for each in going:
        mine = [bucket for name in (domain_of(each.recipient), relay(each)) if (bucket := buckets.get(name))]
        full = next((bucket for bucket in mine if not bucket.fits(now)), None)
        if full is not None:
            held.append(Held(each, full.put_off(now)))
            continue
        for bucket in mine:
            bucket.take()
        free.append(each)
    return free, held


def too_fast(
    messages: Mapping[int, Candidate], results: Iterable[Result], named: Callable[[Candidate], str] = _domain
) -> set[str]:
    """The recipient domains, or what else is `named`, that say that we are too fast, or not trusted at this speed."""
    return {
        named(messages[result.id])
        for result in results
        if result.outcome == "retry" and (result.code == 421 or result.enhanced.startswith("4.7."))
    }


def slow_down(
    session: Session,
    domains: set[str],
    messages: Iterable[Candidate],
    seconds: float,
    now: dt.datetime,
    named: Callable[[Candidate], str] = _domain,
) -> None:
    """Halve the pace of these domains, once in ten seconds; without one, what a batch that took `seconds` had."""
    counts = Counter(named(each) for each in messages)
    ordered = sorted(domains)
    measured = [str(counts[domain] / max(seconds, 1.0)) for domain in ordered]
    values = {"names": literal(ordered), "measured": literal(measured), "now": now}
    session.execute(SLOW, values | {"most": MOST_HALVINGS, "recovery": RECOVERY.total_seconds()})


def parse(words: str) -> float:
    """`20/s`, `100/min` or `5000/h` as messages a second. Raises InvalidInput."""
    found = WORDS(words)
    if found is None or float(found[1]) <= 0:
        raise InvalidInput(f"“{words}” is no rate", "rate", "Write 20/s, 100/min or 5000/h.")
    return float(found[1]) / UNITS[found[2]]


def spell(a_second: float) -> str:
    """A rate in the largest unit in which it reads well."""
    unit = next((name for name, seconds in UNITS.items() if a_second * seconds >= 1), "h")
    return f"{a_second * UNITS[unit]:.4g}/{unit}"


def put(session: Session, name: str, words: str) -> str:
    """Set the rate of a recipient domain or relay; what it was slowed by is forgotten. Returns the name as stored."""
    name = name.strip().lower()
    if not name or "@" in name or set(name) & set(" \t\n\0"):
        raise InvalidInput(
            "is neither a domain nor a relay", name, "Write gmail.com, or a relay as `cairn email` does."
        )
    session.execute(SET, {"name": name, "pace": parse(words)})
    return name


def remove(session: Session, name: str) -> None:
    """Lift a rate. Raises NotFound."""
    gone = session.execute(text("delete from rates where name = :name returning name"), {"name": name.strip().lower()})
    if not gone.all():
        raise NotFound("rate", name, "`cairn rates list` prints them.")


def listed(session: Session) -> Sequence[Any]:
    """All rows, by name."""
    return session.execute(text("select * from rates order by name")).all()
