"""Everything that is stored sealed, and sealing it anew under the installation's first key."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import sealing
from engine.identities.keys import KEYS
from engine.identities.store import RELAYS
from engine.sealing import Keys
from engine.webhooks.secrets import PURPOSE


class Place(NamedTuple):
    """A column of sealed values."""

    table: str
    column: str
    purpose: str


PLACES = (
    Place("identities", "relays", RELAYS),
    Place("identities", "dkim", KEYS),
    Place("identities", "dkim_next", KEYS),
    Place("webhooks", "secrets", PURPOSE),
)


def reseal(session: Session, keys: Keys) -> Counter[str]:
    """Seal all under the first key. Counts `done`, `before` (under it already) and `closed`, which no key opens."""
    counts: Counter[str] = Counter()
    for place in PLACES:
        column = place.column
        rows = session.execute(text(f"select slug, {column} from {place.table} where {column} is not null for update"))
        write = text(f"update {place.table} set {column} = :made where slug = :slug")
        for slug, sealed in rows.all():
            made = sealing.reseal(bytes(sealed), keys, place.purpose)
            counts["closed" if made is None else "before" if made == bytes(sealed) else "done"] += 1
            if made is not None and made != bytes(sealed):
                session.execute(write, {"made": made, "slug": slug})
    return counts
