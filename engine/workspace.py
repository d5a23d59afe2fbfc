"""The workspace's own settings: who sends, in which zone and currency, at what price."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from engine.errors import InvalidInput
from engine.model import WorkspaceSetting


@dataclass(frozen=True, slots=True)
class Workspace:
    """Values with their defaults. Prices are per message (per part, for SMS), in `currency`; `sms_prices` are those of
    numbers by what they begin with (`+49`), where `sms_price` is not right.

    `revenue_events` names the property of an event that carries revenue; the first one present counts.
    A campaign pauses by itself above the parts `breaker_bounces` and `breaker_complaints`, from `breaker_messages` on.
    In `untracked_countries` opens and clicks of nobody are tracked who has not agreed to it.
    `sms_stopped`, `sms_started`, `sms_confirmed` and `sms_help` are texted back to STOP, START, a YES that confirms a
    subscription, and HELP, `{name}` for the workspace's.
    `sms_signups_per_hour` and `sms_signups_per_day` bound the texts that ask strangers to confirm a sign-up. Where
    `sms_signup_countries` are named (`DE`, or `+4915`), only their numbers get any (`engine.tracking.signups`).
    `caps` (by `all`, channel or `topic:SLUG`), `quiet_hours` (by channel, in the contact's zone) and topics that know
    neither are `engine.messages.limits`'.
    `identity` sends what names none (`engine.identities`); without it the sender that is set here does.
    Campaigns are from that one whatever DNS says of it, if it may `send_unverified`.
    Product blocks of contents look at orders of `best_seller_days`, and at what a contact viewed, put into the cart and
    bought within `viewed_days`, `carted_days` and `bought_days`, by `viewed_event`, `carted_event` and `purchased`.
    `click_window_days` and `open_window_days` bound how long after a touch a message may get credit.
    """

    name: str = "Cairn"
    timezone: str = "UTC"
    currency: str = "USD"
    sender_name: str = "Cairn"
    sender_address: str = "hello@cairn.example"
    postal_address: str = ""
    identity: str = ""
    send_unverified: bool = False
    email_price: Decimal = Decimal("0.0004")
    sms_price: Decimal = Decimal("0.0079")
    sms_prices: Mapping[str, Decimal] = field(default_factory=dict)
    sms_needs_consent: bool = True
    sms_signups_per_hour: int = 20
    sms_signups_per_day: int = 100
    sms_signup_countries: tuple[str, ...] = ()
    sms_stopped: str = "{name}: you are unsubscribed and get no more texts from us. Text START to come back."
    sms_started: str = "{name}: you get our texts again. Text STOP to end them, HELP for help."
    sms_confirmed: str = "{name}: thank you, you get our texts now. Text STOP to end them, HELP for help."
    sms_help: str = "{name}: text STOP to get no more texts, START to get them again. Message and data rates may apply."
    revenue_events: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"Order Completed": ("revenue", "total", "value")}
    )
    event_aliases: Mapping[str, str] = field(default_factory=lambda: {"purchased": "Order Completed"})
    best_seller_days: int = 30
    viewed_days: int = 90
    carted_days: int = 90
    bought_days: int = 365
    viewed_event: str = "Product Viewed"
    carted_event: str = "Product Added"
    click_window_days: int = 7
    open_window_days: int = 3
    breaker_messages: int = 200
    breaker_bounces: float = 0.05
    breaker_complaints: float = 0.003
    untracked_countries: tuple[str, ...] = ()
    caps: Mapping[str, str] = field(default_factory=dict)
    quiet_hours: Mapping[str, str] = field(default_factory=lambda: {"sms": "21:00-08:00"})
    unlimited_topics: tuple[str, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's time zone."""
        return ZoneInfo(self.timezone)

    def price(self, channel: str, number: str = "") -> Decimal:
        """What one message of this channel (one part, for SMS, to this number in E.164) costs."""
        if channel != "sms":
            return self.email_price
        if self.sms_prices:
            for length in range(MOST_DIGITS + 1, 1, -1):
                if (found := self.sms_prices.get(number[:length])) is not None:
                    return found
        return self.sms_price


MOST_DIGITS = 9
"""Of the beginning of a number that has a price of its own."""
RULES_ARE_READ_BY = frozenset({"event_aliases", "timezone"})
ASK_ALL_SEGMENTS = text("""
with held as (select id from segments order by id for no key update)
update segments s set stale = true, asks = asks + 1 from held where s.id = held.id""")
FIELDS = {item.name: item for item in dataclasses.fields(Workspace)}


def load(session: Session) -> Workspace:
    """The workspace as saved."""
    rows = session.execute(select(WorkspaceSetting.name, WorkspaceSetting.value)).all()
    return Workspace(**{name: _read(name, value) for name, value in rows if name in FIELDS})


def save(session: Session, **values: Any) -> None:
    """Save named values; what rules are read by asks all segments for a refresh. Raises InvalidInput for a name that is
    none."""
    if not RULES_ARE_READ_BY.isdisjoint(values):
        session.execute(ASK_ALL_SEGMENTS)
    for name, value in values.items():
        if name not in FIELDS:
            raise InvalidInput(
                "there is no such setting", where=name, hint="Known are: " + ", ".join(sorted(FIELDS)) + "."
            )
        put(session, name, str(value) if isinstance(value, Decimal) else value)


def get(session: Session, name: str) -> Any:
    """One stored value that is no field of Workspace, such as `status.smtp`; None when unset."""
    return session.execute(select(WorkspaceSetting.value).where(WorkspaceSetting.name == name)).scalar()


def put(session: Session, name: str, value: Any) -> None:
    """Store one value under any name."""
    row = insert(WorkspaceSetting).values(name=name, value=value)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": row.excluded.value}))


def put_new(session: Session, name: str, value: Any) -> None:
    """Store one value under a name that has none yet."""
    session.execute(insert(WorkspaceSetting).values(name=name, value=value).on_conflict_do_nothing())


def _read(name: str, value: Any) -> Any:
    if name.endswith("_price"):
        return Decimal(value)
    if name in ("untracked_countries", "unlimited_topics", "sms_signup_countries"):
        return tuple(value)
    if name == "sms_prices":
        return {prefix: Decimal(price) for prefix, price in value.items()}
    if name == "revenue_events":
        return {event: tuple(properties) for event, properties in value.items()}
    return value
