"""`/healthz`: whether this process works. `/readyz`: whether it can serve, and whether messages leave.

Both are open to everybody, so they name no mail server and no reason; the dashboard and `cairn status` do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from engine.db import Database
from engine.identities import store as identities
from engine.identities.values import House
from engine.messages import outages
from webapp.native import TEXT, Answer, as_json

PATHS = ("/healthz", "/readyz")


@dataclass(frozen=True, slots=True)
class Health:
    """`alive` says whether the writer lives; `smtp_url` is CAIRN_SMTP_URL."""

    database: Database
    alive: Callable[[], bool]
    house: House
    smtp_url: str | None = None

    def answer(self, path: str) -> Answer | None:
        """The answer, or None for another path."""
        if path == "/healthz":
            alive = self.alive()
            return Answer(200 if alive else 503, TEXT, b"ok\n" if alive else b"the writer has died\n")
        return self._ready() if path == "/readyz" else None

    def _ready(self) -> Answer:
        """200 also while mail waits: pages and `/v1` serve all the same, and another web process would not help."""
        try:
            with self.database.transaction() as session:
                away = outages.listed(session, self.smtp_url, identities.listed(session, self.house))
        except SQLAlchemyError:
            return as_json(503, {"ready": False, "database": "away"}, (("Retry-After", "5"),))
        return as_json(200, {"ready": True, "database": "ok"} | outages.summed_up(away))
