"""How many texts ask strangers for a confirmation: a budget, since whoever types numbers into forms spends our money.

Toll fraud (SMS pumping) sends texts to numbers whose owner earns by each. So numbers that cost extra get none, the
whole installation has an hourly and a daily budget, and until the workspace names its countries, each has a small one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberType as Kind
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.errors import InvalidInput
from engine.receipts.tell import tell_colleagues

MOST_AN_HOUR_TO_A_COUNTRY = 5
"""Of texts to a country that `sms_signup_countries` would have to name for more."""
SHOWN = dt.timedelta(days=1)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
STATUS = "status.signups"
PEOPLE = frozenset({Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE, Kind.PERSONAL_NUMBER, Kind.VOIP})
"""Kinds of numbers that take texts at the usual price; ranges that nobody was given are a fraud of their own."""

LOCK = text("select pg_advisory_xact_lock(hashtextextended('texts that ask for a confirmation', 0))")
COUNT = text("""
select count(*) filter (where r.requested_at > :hour) as hour, count(*) as day,
    count(*) filter (where r.requested_at > :hour and c.phone like :country) as country
from consent_requests r left join contacts c on c.id = r.contact_id
where r.channel = 'sms' and r.requested_at > :day""")


@dataclass
class Limited(InvalidInput):
    """No text goes out. `why` is for colleagues; "" where only this number is at fault."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Bite:
    """That texts were refused lately: how many since when, the last one when and why."""

    count: int
    since: dt.datetime
    last: dt.datetime
    why: str


def admit(session: Session, numbers: Sequence[str], now: dt.datetime) -> None:
    """Let a confirmation be texted to each of these numbers (E.164), or raise Limited.

    Who asks at the same moment waits until the requests of this transaction are stored, and counts them.
    """
    known = workspace.load(session)
    session.execute(LOCK)
    for number in numbers:
        if not _is_mobile(number):
            raise Limited("This number cannot get texts.", "phone")
        if known.sms_signup_countries and not is_among(number, known.sms_signup_countries):
            raise Limited("We do not send texts to this country.", "phone", why=f"a number of {_country(number)}")
        _within_budget(session, known, number, len(numbers), now)


def _within_budget(session: Session, known: workspace.Workspace, number: str, more: int, now: dt.datetime) -> None:
    """All that a call asks for at once goes or nothing."""
    prefix = f"+{phonenumbers.parse(number).country_code}"
    values = {"hour": now - HOUR, "day": now - DAY, "country": f"{prefix}%"}
    sent = session.execute(COUNT, values).one()
    limits = [
        (sent.hour, known.sms_signups_per_hour, f"{known.sms_signups_per_hour} an hour are the most"),
        (sent.day, known.sms_signups_per_day, f"{known.sms_signups_per_day} a day are the most"),
    ]
    if not known.sms_signup_countries:
        most = MOST_AN_HOUR_TO_A_COUNTRY
        limits.append((sent.country, most, f"{most} an hour are the most to numbers that begin with {prefix}"))
    for count, most, why in limits:
        if count + more > most:
            raise Limited("We cannot send texts right now. Please try again later.", "phone", why=why)


def is_among(number: str, countries: Collection[str]) -> bool:
    """Whether a number (E.164) is of one of these: codes such as `DE`, or what numbers begin with (`+4915`)."""
    return any(number.startswith(each) for each in countries if each.startswith("+")) or _country(number) in countries


def _country(number: str) -> str:
    """The code of its country; `+870` and the like where it has none."""
    parsed = phonenumbers.parse(number)
    found = phonenumbers.region_code_for_number(parsed)
    return found if found and found != "001" else f"+{parsed.country_code}"


def _is_mobile(number: str) -> bool:
    """Satellites and other networks without a country (`001`) are the dearest of all."""
    parsed = phonenumbers.parse(number)
    if phonenumbers.region_code_for_country_code(parsed.country_code or 0) == "001":
        return False
    return phonenumbers.number_type(parsed) in PEOPLE


def note(session: Session, refused: Limited, now: dt.datetime) -> None:
    """Keep that a text was refused, for whoever looks; the first time in a day colleagues are told."""
    if not refused.why:
        return
    session.execute(LOCK)
    before = bitten(session, now)
    count, since = (before.count + 1, before.since) if before else (1, now)
    value = {"count": count, "since": since.isoformat(), "last": now.isoformat(), "why": refused.why}
    workspace.put(session, STATUS, value)
    if before is None:
        tell_colleagues(session, _told(refused.why), now)


def bitten(session: Session, now: dt.datetime) -> Bite | None:
    """What was refused lately; None after a day without a refusal."""
    value: dict[str, Any] | None = workspace.get(session, STATUS)
    if not value:
        return None
    since, last = (dt.datetime.fromisoformat(value[name]) for name in ("since", "last"))
    return Bite(value["count"], since, last, value["why"]) if last > now - SHOWN else None


def _told(why: str) -> str:
    return (
        "Cairn refuses sign-ups by text\n\n"
        f"Somebody asked for a text that confirms a sign-up, and it was not sent: {why}.\n\n"
        "If these are people, name their countries:\n\n    cairn workspace set sms_signup_countries DE,AT\n\n"
        "or raise the limits sms_signups_per_hour and sms_signups_per_day in the same way. If they are not, somebody "
        "types numbers that earn them money: take the form off the web for a while, on the page Forms.\n"
    )
