"""The filters of messages: a short list, each bounded, none that reaches Python objects."""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

import nh3
from jinja2 import Undefined
from jinja2.filters import FILTERS
from markupsafe import Markup, escape

from engine.rendering.errors import LimitError
from engine.rendering.limits import bounded_text, current, max_text

kept_names = (
    "abs capitalize count e escape first float int items join last length list lower map max min reject "
    "rejectattr reverse select selectattr sort string striptags sum title trim truncate unique upper "
    "urlencode wordcount"
)
kept = kept_names.split()
symbols = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
clean_url = re.compile(r"[A-Za-z0-9%/:?#@!$&()*+,;=~._-]*").fullmatch
whole_currencies = {"JPY", "KRW", "VND", "CLP", "ISK"}


def absent(value: Any) -> bool:
    """No value to show: undefined, null, or a text of blanks."""
    return value is None or isinstance(value, Undefined) or (isinstance(value, str) and not value.strip())


def default(value: Any, fallback: Any = "", _boolean: bool = False) -> Any:
    """`fallback` for a value that is undefined, null or blank: an empty name is greeted like none."""
    return fallback if absent(value) else value


def replace(value: Any, old: str, new: str) -> str:
    """Python's `str.replace`, refused before it builds a text past the bound. Escapes like Jinja's own."""
    text = value if isinstance(value, Markup) else str(value)
    growth = len(text) + text.count(str(old)) * len(str(new))
    if growth > max_text:
        raise LimitError(f"replace() would build more than {max_text:,} characters.")
    return text.replace(str(old), str(new))


def join(value: Any, separator: str = "") -> Markup:
    """Texts of a list, escaped one by one, with `separator` between."""
    parts = [escape(part) for part in value]
    if sum(map(len, parts)) + len(separator) * len(parts) > max_text:
        raise LimitError(f"join() would build more than {max_text:,} characters.")
    return Markup(escape(separator)).join(parts)


def plain_join(value: Any, separator: str = "") -> str:
    """`join` for texts that are no HTML."""
    return str(join(value, separator).unescape()) if isinstance(value, (list, tuple)) else str(value)


def as_moment(value: Any) -> dt.date | None:
    """A date or datetime from itself or from ISO 8601 text; None when it is neither."""
    if isinstance(value, dt.date):
        return value
    try:
        return dt.datetime.fromisoformat(str(value))
    except ValueError:
        return None


def date(value: Any, pattern: str = "%-d %B %Y") -> Any:
    """A date in words by a strftime pattern (English names). What is no date is shown as it came."""
    moment = None if absent(value) else as_moment(value)
    return value if moment is None else moment.strftime(pattern[:100])


def money(value: Any, currency: str = "USD") -> Any:
    """An amount in major units: `1234.5 -> $1,234.50`. What is no number is shown as it came."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return value
    digits = 0 if currency in whole_currencies else 2
    sign = symbols.get(currency)
    figure = f"{abs(amount):,.{digits}f}"
    text = f"{sign}{figure}" if sign else f"{figure} {currency}"
    return f"-{text}" if amount < 0 else text


def plural(value: Any, one: str, many: str) -> str:
    """`one` for 1, else `many`: `{{ n }} {{ n|plural("item", "items") }}`."""
    return one if value == 1 else many


def sanitised(value: Any, *, as_text: bool) -> Any:
    """A field declared as HTML: cleaned by nh3 for the HTML part, stripped of tags for the text part."""
    if absent(value):
        return value
    if as_text:
        return str(Markup(nh3.clean(str(value), tags=set())).unescape()).strip()
    return Markup(nh3.clean(str(value)))


def shown(value: Any, name: str) -> Any:
    """What an expression outputs: nothing, and a report under `name`, when it is missing."""
    if type(value) is str:  # nearly always
        return bounded_text(value)
    if value is None or isinstance(value, Undefined):
        current.get().report(name or getattr(value, "_undefined_name", None) or "")
        return ""
    if callable(value):
        return ""
    if isinstance(value, (list, tuple, Mapping)):
        return ", ".join(str(item) for item in list(value)[:100] if isinstance(item, (str, int, float)))
    return bounded_text(value)


def compared(order: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
    """An order that reads numbers in texts, and is false of values that have none, as in rules."""

    def compare(left: Any, right: Any) -> bool:
        try:
            return bool(order(left, right))
        except TypeError:
            pass
        try:
            return bool(order(Decimal(str(left)), Decimal(str(right))))
        except (InvalidOperation, ArithmeticError):
            return False

    return compare


comparisons = {
    "cairn_lt": compared(operator.lt),
    "cairn_lteq": compared(operator.le),
    "cairn_gt": compared(operator.gt),
    "cairn_gteq": compared(operator.ge),
}


def rounded(value: Any, precision: int = 0, method: str = "common") -> Any:
    """Jinja's `round` with a precision of at most 12 places."""
    return FILTERS["round"](value, max(-12, min(12, precision)), method)


def safe_url(url: str) -> str:
    """A link target from merge fields: no scheme but http(s), mailto, tel and sms; no blanks, controls or non-ASCII.

    Returns "#" for a scheme that a mail must not carry (RFC 3986 section 3.1).
    """
    text = url if clean_url(url) else quote(url.strip(), safe="%/:?#[]@!$&'()*+,;=~-._")
    scheme, colon, _ = text.partition(":")
    if colon and "/" not in scheme and "?" not in scheme and "#" not in scheme:
        return text if scheme.lower() in {"http", "https", "mailto", "tel", "sms"} else "#"
    return text


def message_filters(*, html: bool) -> dict[str, Any]:
    """The filters of the HTML part or of texts (subject, plain text, SMS)."""
    own = {"default": default, "d": default, "replace": replace, "join": join if html else plain_join}
    more = {"date": date, "money": money, "plural": plural, "round": rounded}
    return {name: FILTERS[name] for name in kept} | own | more
