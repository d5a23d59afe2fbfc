"""`POST /v1/lists/NAME/add` and `…/remove`: put contacts on a list, or take them off; written down before the answer.

The body has `contacts`, a list of external ids, email addresses and phone numbers, 1000 at most. Who is not known is
not made: the answer names them.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from engine import clock
from engine.contacts import list_members, lists
from engine.contacts.list_members import Changed
from engine.db import Database
from engine.errors import InvalidInput
from webapp.api import frame, keys
from webapp.api.keys import Keys
from webapp.native import Answer, Environ, as_json
from webapp.persisting import persist

PREFIX = "/v1/lists/"
CHANGES: dict[str, list_members.Change] = {"/add": lists.put_on, "/remove": lists.take_off}
NOT_FOR_LISTS = "This key may not change lists. Make one that may: cairn keys create NAME --for lists."
MOST = 1000
LONGEST = 512


def answer(
    environ: Environ,
    slug: str,
    change: list_members.Change,
    known: Keys,
    database: Database,
    ring: Callable[[], object],
) -> Answer:
    """200 `{"success": true, "changed": …, "unknown": […]}`; else the reason, with 400 to 503."""

    def respond() -> Answer:
        names = _names(frame.document(environ, known, keys.LISTS, NOT_FOR_LISTS).get("contacts"))
        done = persist(database, lambda session: _change(session, slug, change, names))
        ring()
        return as_json(200, {"success": True, "changed": done.number, "unknown": done.unknown})

    return frame.answered(environ, "POST", respond)


def _change(session: Session, slug: str, change: list_members.Change, names: list[str]) -> Changed:
    list_members.expect(session, slug)
    return list_members.change_named(session, change, slug, names, clock.now(session))


def _names(given: object) -> list[str]:
    if not isinstance(given, list) or not given or len(given) > MOST:
        raise InvalidInput(
            f"is no list of 1 to {MOST} names", where="contacts", hint='As in ["ann@example.com", "u2"].'
        )
    if not all(isinstance(name, str) and 0 < len(name) <= LONGEST for name in given):
        raise InvalidInput("holds something that is no name", where="contacts", hint="Put ids and numbers into quotes.")
    return given
