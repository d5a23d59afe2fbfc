"""How figures, money and moments are written on pages. Times are shown in the workspace's zone."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g, request
from markupsafe import Markup, escape

from webapp.pages.queries.timeline import Item

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "BRL": "R$", "AUD": "A$", "CAD": "C$"}
NONE = "–"
SPANS = ((60, "minute"), (3600, "hour"), (86_400, "day"))
THEMES = ("light", "dark")


def init_app(app: Flask) -> None:
    """Register the filters."""
    figures = (number, money, percent, ratio, points, times)
    filters = (*figures, moment, day, time_of_day, ago, by_day, plural, words, coded, pretty)
    app.jinja_env.filters.update({item.__name__: item for item in filters})
    app.jinja_env.globals["theme"] = theme


def theme() -> str | None:
    """The skin that the person chose; None follows the system."""
    chosen = request.cookies.get("data-theme")
    return chosen if chosen in THEMES else None


def number(value: float | Decimal | None) -> str:
    """12,345; at most two decimals, a dash for nothing."""
    if value is None:
        return NONE
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}"


def money(value: float | Decimal | None, currency: str | None = None) -> str:
    """$1,234.50 in the workspace's currency."""
    if value is None:
        return NONE
    code = currency or g.get("currency", "USD")
    digits = 0 if code == "JPY" else 2
    sign = "−" if value < 0 else ""
    symbol = SYMBOLS.get(code, f"{code} ")
    return f"{sign}{symbol}{abs(value):,.{digits}f}"


def percent(value: float | Decimal | None, digits: int = 1) -> str:
    """12.3 % of a share (0.123)."""
    if value is None:
        return NONE
    shown = f"{abs(float(value)) * 100:,.{digits}f}%"
    return f"−{shown}" if value < 0 else shown


def ratio(part: float | Decimal | None, whole: float | Decimal | None, digits: int = 1) -> str:
    """The share of a part in a whole; a dash when there is no whole."""
    return percent(float(part or 0) / float(whole), digits) if whole else NONE


def points(value: float) -> str:
    """A difference of rates in percentage points: 0.021 is +2.1."""
    return f"{'−' if value < 0 else '+'}{abs(value) * 100:.1f}"


def times(value: float | Decimal) -> str:
    """A return as a multiple: 41.3 is 41.3×."""
    return f"{'−' if value < 0 else ''}{abs(value):,.1f}×"


def by_day(items: Iterable[Item]) -> list[tuple[str, list[Item]]]:
    """Consecutive timeline items of one local day, under that day's name."""
    return [(name, list(group)) for name, group in groupby(items, lambda item: day(item.at))]


def zone() -> ZoneInfo:
    """The zone of this page."""
    found: ZoneInfo = g.get("zone") or ZoneInfo("UTC")
    return found


def moment(value: dt.datetime | None) -> str:
    """21 Nov 2026, 14:03."""
    return f"{day(value)}, {time_of_day(value)}" if value else NONE


def day(value: dt.datetime | None) -> str:
    """21 Nov 2026."""
    if value is None:
        return NONE
    local = value.astimezone(zone())
    return f"{local.day} {local:%b %Y}"


def time_of_day(value: dt.datetime | None) -> str:
    """14:03."""
    return f"{value.astimezone(zone()):%H:%M}" if value else NONE


def ago(value: dt.datetime | None) -> str:
    """“5 minutes ago”, “in 2 days”; beyond a month the date."""
    if value is None:
        return NONE
    seconds = (g.now - value).total_seconds()
    distance = abs(seconds)
    if distance >= 30 * 86_400:
        return day(value)
    if distance < 60:
        return "just now"
    size, unit = next((size, unit) for size, unit in reversed(SPANS) if distance >= size)
    text = plural(int(distance // size), unit)
    return f"{text} ago" if seconds > 0 else f"in {text}"


def plural(count: int | Decimal | None, noun: str, several: str | None = None) -> str:
    """“1 contact”, “12 contacts”."""
    return f"{number(count or 0)} {noun if count == 1 else several or noun + 's'}"


def words(name: str) -> str:
    """A technical word as people write it: `timed_out` is “timed out”."""
    return name.replace("_", " ")


def coded(text: str) -> Markup:
    """Text of a message, with what stands between backticks set as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part) for index, part in enumerate(parts)
    )


def pretty(value: Any) -> str:
    """JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
