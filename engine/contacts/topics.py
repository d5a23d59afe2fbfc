"""What messages are about, as contacts see it: names, defaults, order; and the wordings that they agree to."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import InvalidInput, NotFound
from engine.model import Topic, Wording

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
DEFAULTS = ("subscribed", "unsubscribed")


def listed(session: Session) -> Sequence[Topic]:
    """Every topic in the order of the preference centre, archived ones last."""
    order = (Topic.archived_at.is_not(None), Topic.position, Topic.name, Topic.slug)
    return session.scalars(select(Topic).order_by(*order)).all()


def find(session: Session, slug: str) -> Topic:
    """Raises NotFound."""
    found = session.get(Topic, slug)
    if found is None:
        raise NotFound("topic", slug, "`cairn topics list` lists those that there are.")
    return found


def create(session: Session, slug: str, name: str, **values: object) -> Topic:
    """Make a topic at the end of the preference centre. `values` are as for `change`. Raises InvalidInput."""
    if not SLUG.fullmatch(slug):
        raise InvalidInput("cannot be a topic's slug", slug, "Use a-z, 0-9 and -, beginning with a letter or digit.")
    if session.get(Topic, slug) is not None:
        raise InvalidInput("there is such a topic already", slug, "Change it, or choose another slug.")
    last = session.scalar(select(func.max(Topic.position))) or 0
    made = Topic(slug=slug, name=name, position=last + 1)
    session.add(made)
    session.flush()
    change(made, **{"name": name} | values)
    session.flush()
    return made


def change(topic: Topic, **values: object) -> None:
    """Set `name`, `description`, `default_state`, `public`, `position` and `double_opt_in`. Raises InvalidInput.

    A default speaks of email only: text messages need a word of the contact whatever the topic is.
    """
    if "name" in values and not str(values["name"]).strip():
        raise InvalidInput("a topic needs a name that contacts understand", topic.slug)
    if values.get("default_state", DEFAULTS[0]) not in DEFAULTS:
        raise InvalidInput("is no default", str(values["default_state"]), "Use subscribed or unsubscribed.")
    for name, value in values.items():
        setattr(topic, name, value.strip() if isinstance(value, str) else value)


def archive(topic: Topic, now: dt.datetime) -> None:
    """Take it out of the preference centre and of forms; what contacts said of it stays."""
    topic.archived_at = topic.archived_at or now


def word(session: Session, slug: str, text: str, now: dt.datetime) -> Wording:
    """The version of a wording that says this: the newest if it does, else a new one. Raises InvalidInput."""
    text = text.strip()
    if not SLUG.fullmatch(slug) or not text:
        raise InvalidInput("a wording needs a slug of a-z, 0-9 and - and a text", slug)
    newest = session.scalar(select(Wording).where(Wording.slug == slug).order_by(Wording.version.desc()).limit(1))
    if newest is not None and newest.text == text:
        return newest
    version = (newest.version if newest else 0) + 1
    digest = hashlib.sha256(text.encode()).hexdigest()
    made = Wording(slug=slug, version=version, text=text, hash=digest, created_at=now)
    session.add(made)
    session.flush()
    return made


def wording(session: Session, name: str) -> Wording:
    """The wording SLUG@VERSION, or the newest of SLUG. Raises NotFound."""
    slug, _, version = name.partition("@")
    query = select(Wording).where(Wording.slug == slug).order_by(Wording.version.desc()).limit(1)
    if version:
        query = query.where(Wording.version == (int(version) if version.isdigit() and len(version) < 9 else 0))
    found = session.scalar(query)
    if found is None:
        raise NotFound("wording", name, "`cairn topics wordings` lists those that there are.")
    return found


def wordings(session: Session) -> Sequence[Wording]:
    """Every version of every wording."""
    return session.scalars(select(Wording).order_by(Wording.slug, Wording.version)).all()
