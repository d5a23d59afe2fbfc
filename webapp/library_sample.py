"""An invented customer and her shop, for looking at the contents of the stock journeys."""

from __future__ import annotations

from typing import Any

WORKSPACE = {"name": "Harbour Coffee", "currency": "USD", "postal_address": "12 Quay Street, Bristol BS1 4RA"}
ITEMS = [
    {"name": "Kochere, washed", "price": 14.5, "quantity": 2, "url": "https://example.com/kochere"},
    {"name": "Filter papers, size 02", "price": 6, "quantity": 1, "url": "https://example.com/papers"},
]
SAMPLE: dict[str, Any] = {
    "first_name": "Ann",
    "last_product": "Kochere",
    "trial_ends_at": "2026-05-14",
    "company": {"name": "Acme", "seats": 25},
    "event": {
        "items": ITEMS,
        "similar": ITEMS,
        "total": 35,
        "currency": "USD",
        "order_id": "1007",
        "name": "Kochere, washed",
        "price": 14.5,
        "category": "Filter coffee",
        "project_name": "Harbour",
    },
}
