"""`POST /v1/consent`: what a contact said elsewhere, such as in a form of your own; written down before the answer.

The body has `userId`, `email` or `phone`, `state` (subscribed, unsubscribed), perhaps `channel` (email), `topics`,
`basis`, `expires` (of implied consent), `wording` (SLUG or SLUG@VERSION), `ip` and `userAgent` of the person, and
`confirm`: whether they are asked to confirm first, by email or text as the channel is; as the topics say without it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from engine import clock
from engine.contacts import topics as known_topics
from engine.contacts.consent import CHANNEL_WIDE, ConsentChange, change_of, record_consent, state_of, welcome_back
from engine.contacts.identify import identify
from engine.contacts.numbers import contact_of
from engine.contacts.profile import Profile, clean
from engine.db import Database
from engine.errors import InvalidInput
from engine.receipts import signups
from engine.signing import signer
from engine.tracking import forms
from engine.tracking.confirmation import Request, ask
from engine.tracking.signups import Limited
from webapp.api import frame, keys
from webapp.api.frame import text
from webapp.api.keys import Keys
from webapp.native import Answer, Environ, as_json
from webapp.persisting import persist

PATH = "/v1/consent"
NOT_FOR_CONSENT = "This key may not say what people agreed to. Make one: cairn keys create NAME --for consent."
MOST_TOPICS = 100


def answer(environ: Environ, known: Keys, database: Database, ring: Callable[[], object]) -> Answer:
    """200 with `{"success": true, "states": {"email:news": "pending"}}`; 400, 401, 403, 404, 405, 413 or 503."""

    def respond() -> Answer:
        document = frame.document(environ, known, keys.CONSENT, NOT_FOR_CONSENT)
        try:
            states = persist(database, lambda session: _write(session, document))
        except Limited as error:
            refused = error
            persist(database, lambda session: signups.note(session, refused, clock.now(session)))
            ring()
            raise
        ring()
        return as_json(200, {"success": True, "states": states})

    return frame.answered(environ, "POST", respond)


def _write(session: Session, document: dict[str, Any]) -> dict[str, str]:
    now = clock.now(session)
    topics = [known_topics.find(session, slug) for slug in _topics(document)]
    contact_id = _contact(session, document, now)
    changes = [_change(session, document, contact_id, topic.slug) for topic in topics] or [
        _change(session, document, contact_id, CHANNEL_WIDE)
    ]
    first = changes[0]
    confirm = document.get("confirm", any(topic.double_opt_in for topic in topics))
    if confirm and first.action == "subscribed" and first.channel in forms.CHANNELS:
        names = tuple(topic.slug for topic in topics)
        ask(
            session,
            [
                Request(
                    contact_id,
                    names,
                    "api",
                    (),
                    first.wording,
                    first.wording_hash,
                    first.ip,
                    first.user_agent,
                    channel=first.channel,
                )
            ],
            now,
        )
    else:
        record_consent(session, changes, now)
        welcome_back(session, changes, signer())
    return {_name(one): state_of(session, contact_id, one.channel, one.topic) for one in changes}


def _contact(session: Session, document: dict[str, Any], now: dt.datetime) -> int:
    user, address, phone = (text(document, name) or None for name in ("userId", "email", "phone"))
    if phone and not user and not address:
        profile, problems = clean(Profile(anonymous_id="phone", phone=phone))
        for problem in problems:
            raise InvalidInput(problem.error, where="phone", hint=problem.fix)
        return contact_of(session, profile, now)
    profile, _ = clean(Profile(user, email=address))
    return identify(session, [profile], now)[0]


def _name(change: ConsentChange) -> str:
    return f"{change.channel}:{change.topic}" if change.topic else change.channel


def _change(session: Session, document: dict[str, Any], contact_id: int, topic: str) -> ConsentChange:
    wording = text(document, "wording")
    made = change_of(
        contact_id, text(document, "channel") or "email", text(document, "state"), "api", topic,
        basis=text(document, "basis") or None, expires=_moment(document),
        wording=known_topics.wording(session, wording) if wording else None,
    )  # fmt: skip
    ip, agent = text(document, "ip")[:100] or None, text(document, "userAgent")[:500] or None
    return dataclasses.replace(made, ip=ip, user_agent=agent)


def _moment(document: dict[str, Any]) -> dt.datetime | None:
    given = text(document, "expires")
    try:
        return dt.datetime.fromisoformat(given) if given else None
    except ValueError:
        raise InvalidInput("is no date", where="expires", hint="As in 2026-12-31.") from None


def _topics(document: dict[str, Any]) -> list[str]:
    given = document.get("topics") or []
    if not isinstance(given, list) or len(given) > MOST_TOPICS or not all(isinstance(slug, str) for slug in given):
        raise InvalidInput("is no list of topics", where="topics", hint='As in ["news"].')
    return list(dict.fromkeys(given))
