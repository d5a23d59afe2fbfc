"""Endpoints by slug: made, given a new secret, removed, and tried again after they failed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.errors import InvalidInput, NotFound
from engine.model import Webhook
from engine.sealing import Keys
from engine.webhooks.address import parse_url
from engine.webhooks.secrets import new_secret, seal, unseal

SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,99}\Z")
KEPT_SECRETS = 2
LISTED = text("""
select w.slug, w.url, w.failures, w.failing_since, w.retry_at, w.error,
    count(d.id) filter (where d.state = 'pending') as pending, count(d.id) filter (where d.state = 'failed') as failed,
    count(d.id) filter (where d.state = 'delivered') as delivered
from webhooks w left join deliveries d on d.endpoint = w.slug group by w.slug order by w.slug
""")
RETRY = text("""
update deliveries set next_at = :now, state = 'pending', ended_at = null
where endpoint = :slug and state in ('pending', 'failed')
""")
FORGET = text("""
delete from deliveries where id = any(array(
    select id from deliveries where ended_at < :before order by ended_at limit :limit for update skip locked))
""")
ENDED_KEPT = dt.timedelta(days=90)
MOST_FORGOTTEN = 20_000


def add(session: Session, slug: str, url: str, keys: Keys) -> str:
    """Make an endpoint, or change the URL of one. Returns the secret that its calls are signed with.

    Raises InvalidInput for a slug or URL that is none.
    """
    if not SLUG.match(slug):
        raise InvalidInput("is no slug", slug, "Use letters, digits and - _ . / only, at most 100.")
    parse_url(url)
    known = session.get(Webhook, slug)
    if known is None:
        secret = new_secret()
        session.add(Webhook(slug=slug, url=url, secrets=seal([secret], keys)))
        return secret
    known.url = url
    _forgive(known)
    return unseal(known.secrets, keys)[0]


def rotate(session: Session, slug: str, keys: Keys) -> str:
    """A new secret. Calls are signed with the one before too, until the next change. Raises NotFound."""
    known, secret = _find(session, slug), new_secret()
    known.secrets = seal([secret, *unseal(known.secrets, keys)][:KEPT_SECRETS], keys)
    return secret


def remove(session: Session, slug: str) -> None:
    """Forget an endpoint; what is pending for it stays, and goes out if it is added again. Raises NotFound."""
    session.delete(_find(session, slug))


def retry(session: Session, slug: str, now: Any) -> None:
    """Try everything again that did not arrive, from now on. Raises NotFound."""
    known = _find(session, slug)
    _forgive(known)
    session.execute(RETRY, {"slug": slug, "now": now})


def _forgive(known: Webhook) -> None:
    known.failures, known.failing_since, known.retry_at, known.gone, known.error = 0, None, None, False, None


def listed(session: Session) -> Sequence[Any]:
    """Every endpoint with its state, and how much is pending, failed and delivered."""
    return session.execute(LISTED).all()


def forget(session: Session, now: dt.datetime) -> None:
    """Remove some of what ended, well or not, over 90 days ago."""
    session.execute(FORGET, {"before": now - ENDED_KEPT, "limit": MOST_FORGOTTEN})


def _find(session: Session, slug: str) -> Webhook:
    known = session.get(Webhook, slug)
    if known is None:
        raise NotFound("webhook", slug, "`cairn webhooks list` lists those that there are.")
    return known
