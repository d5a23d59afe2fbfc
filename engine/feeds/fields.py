"""A row of a feed, whatever its columns are called, as a product."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

# By our name the names in use, of which the first that is there counts: Google's specification for product data
# (https://support.google.com/merchants/answer/7052112), Shopify's and WooCommerce's exports, Segment's spec.
NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "product_id", "sku", "item_id", "guid"),
    "title": ("title", "name", "product_name"),
    "link": ("link", "url", "product_url", "permalink"),
    "image": ("image_link", "image", "image_url", "images", "img"),
    "price": ("price", "regular_price"),
    "sale_price": ("sale_price", "special_price"),
    "currency": ("currency", "price_currency"),
    "availability": ("availability", "stock_status", "in_stock"),
    "category": ("category", "product_type", "google_product_category", "categories"),
    "description": ("description", "summary"),
}
AMOUNT = re.compile(r"\d(?:[\d.,'\u00a0\u202f ]*\d)?")
UNREADABLE = re.compile(r"\D*[-\u2212]\s*\d|.*\d[eE][-+]?\d", re.DOTALL)  # below nothing, or as computers write it
MARKUP = re.compile(r"</?[a-zA-Z][\w-]*(?:\s[^<>]*)?/?>|<!--.*?-->", re.DOTALL)
CURRENCY = re.compile(r"\b[A-Z]{3}\b")
SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
GONE = frozenset(
    {"out of stock", "outofstock", "sold out", "soldout", "discontinued", "unavailable", "false", "0", "no"}
)
MOST_FIELDS, LONGEST, LONGEST_ID = 40, 1000, 200


def product(row: Mapping[str, Any]) -> dict[str, Any] | str:
    """The product of a row, or why it is none. Prices are numbers; other values texts, numbers, true or false."""
    given = {_name(key): value for key, value in list(row.items())[:MOST_FIELDS] if _name(key)}
    found = {name: value for name, names in NAMES.items() if (value := _first(given, names)) not in (None, "")}
    used = {name for names in NAMES.values() for name in names}
    more = {key: kept for key, value in given.items() if key not in used and (kept := _plain(value)) not in (None, "")}
    for name in ("id", "title", "link"):
        if name not in found:
            return f"it has no {name}"
    found["id"] = str(found["id"])[:LONGEST_ID]
    for name in ("title", "description", "category"):
        if isinstance(value := found.get(name), str):
            found[name] = _words(value)
    if not str(found["link"]).lower().startswith(("https://", "http://")):
        return f"its link “{str(found['link'])[:80]}” is no web address"
    if not str(found.get("image", "")).lower().startswith(("https://", "http://")):
        found.pop("image", None)
    return more | _priced(found) | {"available": _available(found.get("availability"))}


def _name(key: Any) -> str:
    """`g:image_link`, `Image Link` and `image-link` are one."""
    return re.sub(r"[^a-z0-9]+", "_", str(key).rpartition(":")[2].strip().lower()).strip("_")[:60]


def _first(given: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((value for name in names if (value := _plain(given.get(name))) not in (None, "")), None)


def _plain(value: Any) -> Any:
    """A value as a template can show it: of a list the first, of an object its source, value or name."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = next((value[name] for name in ("src", "url", "value", "amount", "name") if name in value), None)
    if isinstance(value, str):
        return " ".join(value.replace("\0", "").split())[:LONGEST]
    return value if isinstance(value, bool | int | float) else None


def _words(value: str) -> str:
    """A text as people read it: shops export entities, and descriptions with markup."""
    return " ".join(html.unescape(MARKUP.sub(" ", html.unescape(value))).split())


def _priced(found: dict[str, Any]) -> dict[str, Any]:
    """Prices as numbers, with the currency that stands beside one; a price that does not read is left out."""
    for name in ("price", "sale_price"):
        if isinstance(value := found.pop(name, None), str):
            signs = [currency for sign, currency in SIGNS.items() if sign in value]
            named = CURRENCY.findall(value) + signs
            value = amount(value)
            if named:
                found.setdefault("currency", named[0])
        if value is not None and not isinstance(value, bool) and value >= 0:
            found[name] = value
    if isinstance(found.get("currency"), str):
        found["currency"] = found["currency"].upper()
    return found


def amount(text: str) -> float | None:
    """`1.234,50 €`, `USD 1,234.50` and `12` as a number: the last sign before one or two digits divides."""
    match = AMOUNT.search(text)
    if match is None or UNREADABLE.match(text):
        return None
    whole, sign, rest = re.fullmatch(r"(.*?)(?:([.,])(\d{1,2}))?", match[0]).groups()  # type: ignore[union-attr]
    try:
        return float(Decimal(re.sub(r"\D", "", whole) + (f".{rest}" if sign else "")))
    except InvalidOperation:
        return None


def _available(value: Any) -> bool:
    return str(value if value is not None else "").lower().replace("_", " ").strip() not in GONE
