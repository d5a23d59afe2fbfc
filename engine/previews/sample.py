"""Values for the variables of a content when no contact is chosen: what people would expect under such a name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

known: dict[str, Any] = {
    "first_name": "Alex",
    "last_name": "Moreau",
    "name": "Alex Moreau",
    "email": "alex@example.com",
    "phone": "+15550100",
    "city": "Lyon",
    "country": "FR",
    "currency": "EUR",
    "price": 24.9,
    "total": 49.8,
    "revenue": 49.8,
    "value": 49.8,
    "quantity": 2,
    "title": "Linen shirt",
    "url": "https://example.com/",
    "image": "https://example.com/image.png",
}
things = [
    {**known, "name": "Linen shirt"},
    {**known, "name": "Wool socks", "title": "Wool socks", "price": 9.5, "quantity": 1},
]
lists = ("items", "products", "line_items", "lines")


def context(paths: Iterable[str]) -> dict[str, Any]:
    """A value for every path that a content reads; nested paths become dicts, the deepest first."""
    found: dict[str, Any] = {}
    for path in sorted(paths, key=lambda path: path.count("."), reverse=True):
        *parents, last = path.split(".")
        place = found
        for name in parents:
            place = place.setdefault(name, {})
        place.setdefault(last, value(last))
    return found


def value(name: str) -> Any:
    """What stands for a variable of this name."""
    if name in known:
        return known[name]
    if name in lists:
        return things
    if name.endswith(("_url", "_link")):
        return known["url"]
    if name.endswith(("_at", "_date", "_on")):
        return "2026-03-04"
    number = name.endswith(("_count", "_days", "_price", "_total")) or name in ("count", "days", "points", "score")
    return 7 if number else name.replace("_", " ")
