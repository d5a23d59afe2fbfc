"""How many texts ask strangers for a confirmation: a budget, since whoever types numbers into forms spends our money.

Toll fraud (SMS pumping) sends texts to numbers whose owner earns by each. So numbers that cost extra get none, the
whole installation has an hourly and a daily budget, and until the workspace names its countries, each has a small one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberType as Kind
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.errors import InvalidInput

MOST_AN_HOUR_TO_A_COUNTRY = 5
"""Of texts to a country that `sms_signup_countries` would have to name for more."""
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
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
