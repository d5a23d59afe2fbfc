"""`POST /v1/consent`: what a contact said elsewhere, such as in a form of your own; written down before the answer.

The body has `userId` or `email`, `state` (subscribed, unsubscribed), perhaps `channel` (email), `topics`, `basis`,
`expires` (of implied consent), `wording` (SLUG or SLUG@VERSION), `ip` and `userAgent` of the person, and `confirm`:
whether they are asked to confirm by email first, as the topics say without it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from engine import clock
from engine.contacts import topics as known_topics
from engine.contacts.consent import CHANNEL_WIDE, ConsentChange, change_of, record_consent, state_of
from engine.contacts.identify import identify
from engine.contacts.profile import Profile, clean
from engine.db import Database
from engine.errors import InvalidInput, NotFound
from engine.tracking.confirmation import Request, ask
from webapp.api import body, keys
from webapp.api.body import EVENT_BYTES, BadBody
from webapp.api.keys import Keys
from webapp.groupcommit import Unavailable
from webapp.native import Answer, Environ, Headers, as_json, refusal
from webapp.persisting import persist

PATH = "/v1/consent"
NO_KEY = "The API key is missing, unknown or revoked."
NOT_FOR_CONSENT = "This key may not say what people agreed to. Make one: cairn keys create NAME --for consent."
MOST_TOPICS = 100


def answer(environ: Environ, known: Keys, database: Database, ring: Callable[[], object]) -> Answer:
    """200 with `{"success": true, "states": {"email:news": "pending"}}`; 400, 401, 403, 404, 405, 413 or 503."""
    if environ["REQUEST_METHOD"] != "POST":
        return _failure(405, "This address takes POST.")
    try:
        data = body.read(environ)
        if len(data) > EVENT_BYTES:
            raise body.too_large("The body", EVENT_BYTES)
        scopes = known.scopes(keys.of_header(environ) or "")
        if scopes is None:
            return _failure(401, NO_KEY)
        if keys.CONSENT not in scopes:
            return _failure(403, NOT_FOR_CONSENT)
        document = body.parse(data)
        states = persist(database, lambda session: _write(session, document))
    except BadBody as error:
        return _failure(error.status, str(error))
    except (NotFound, InvalidInput) as error:
        return _failure(404 if isinstance(error, NotFound) else 400, str(error))
    except Unavailable as error:
        status, headers = refusal(error)
        return _failure(status, str(error), headers)
    ring()
    return as_json(200, {"success": True, "states": states})


def _write(session: Session, document: dict[str, Any]) -> dict[str, str]:
    now = clock.now(session)
    topics = [known_topics.find(session, slug) for slug in _topics(document)]
    profile, _ = clean(Profile(_text(document, "userId") or None, email=_text(document, "email") or None))
    [contact_id] = identify(session, [profile], now)
    changes = [_change(session, document, contact_id, topic.slug) for topic in topics] or [
        _change(session, document, contact_id, CHANNEL_WIDE)
    ]
    first = changes[0]
    confirm = document.get("confirm", any(topic.double_opt_in for topic in topics))
    if confirm and first.action == "subscribed" and first.channel == "email":
        names = tuple(topic.slug for topic in topics)
        ask(
            session,
            [Request(contact_id, names, "api", (), first.wording, first.wording_hash, first.ip, first.user_agent)],
            now,
        )
    else:
        record_consent(session, changes, now)
    return {_name(one): state_of(session, contact_id, one.channel, one.topic) for one in changes}


def _name(change: ConsentChange) -> str:
    return f"{change.channel}:{change.topic}" if change.topic else change.channel


def _change(session: Session, document: dict[str, Any], contact_id: int, topic: str) -> ConsentChange:
    wording = _text(document, "wording")
    made = change_of(
        contact_id, _text(document, "channel") or "email", _text(document, "state"), "api", topic,
        basis=_text(document, "basis") or None, expires=_moment(document),
        wording=known_topics.wording(session, wording) if wording else None,
    )  # fmt: skip
    ip, agent = _text(document, "ip")[:100] or None, _text(document, "userAgent")[:500] or None
    return dataclasses.replace(made, ip=ip, user_agent=agent)


def _moment(document: dict[str, Any]) -> dt.datetime | None:
    given = _text(document, "expires")
    try:
        return dt.datetime.fromisoformat(given) if given else None
    except ValueError:
        raise InvalidInput("is no date", where="expires", hint="As in 2026-12-31.") from None


def _topics(document: dict[str, Any]) -> list[str]:
    given = document.get("topics") or []
    if not isinstance(given, list) or len(given) > MOST_TOPICS or not all(isinstance(slug, str) for slug in given):
        raise InvalidInput("is no list of topics", where="topics", hint='As in ["news"].')
    return list(dict.fromkeys(slug.replace("\0", "") for slug in given))


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput("is no text", where=name, hint="Put it into quotes.")
    return (value or "").replace("\0", "")


def _failure(status: int, message: str, headers: Headers = ()) -> Answer:
    return as_json(status, {"success": False, "message": message}, headers)
