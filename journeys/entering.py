"""Let contacts into a journey by a program or by hand: `enter: {api: true}`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.db import driver
from engine.errors import Conflict, NotFound
from engine.events.encoding import encode
from engine.model import Journey, JourneyVersion
from journeys.runtime import admit
from journeys.runtime.catalogue import compiled

TAKE_KEY = "insert into event_keys (message_id) values (%s) on conflict do nothing returning message_id"


TAKE_KEYS = """
insert into event_keys (message_id) select unnest(%s::text[]) on conflict do nothing returning message_id"""


def takes_people(session: Session, slug: str) -> bool:
    """Whether the journey is live, and programs and people at work may let contacts in."""
    query = select(JourneyVersion.source).join(Journey, Journey.live_version_id == JourneyVersion.id)
    source = session.execute(query.where(Journey.slug == slug, Journey.state == "live")).scalar()
    return source is not None and compiled(source).journey.enter.kind == "api"


def again(session: Session, slug: str) -> str:
    """How often a contact may enter the live version: `once`, `always`, `after` a while or `per` a value.

    Raises NotFound for a journey that was never published.
    """
    query = select(JourneyVersion.source).join(Journey, Journey.live_version_id == JourneyVersion.id)
    source = session.execute(query.where(Journey.slug == slug)).scalar()
    if source is None:
        raise NotFound("published journey", slug)
    return compiled(source).journey.enter.again.kind


def enter(
    session: Session, slug: str, contact_id: int, key: str, properties: Mapping[str, Any], now: dt.datetime
) -> bool:
    """Ask that the contact enters the journey `slug`; its rules decide soon after, in a commit of their own.

    `key` makes the call one, however often it is made for this journey: False if it was made before. `properties` are
    what `event.` reads in the journey. Raises NotFound, Conflict if the journey is not live or programs may not let
    anybody in, InvalidInput for properties that cannot be stored.
    """
    document = encode(properties, "properties").decode()
    _expect_open(session, slug)
    message_id = f"api:{slug}:{key}"
    if driver(session).execute(TAKE_KEY, (message_id,)).fetchone() is None:
        return False
    admit.start(session, slug, [admit.Start(contact_id, message_id, document)], now)
    return True


def enter_all(session: Session, slug: str, contact_ids: Collection[int], key: str, now: dt.datetime) -> int:
    """Ask that all these contacts enter; with the same key nobody is asked for twice. Returns for how many it asked.

    Raises as `enter`.
    """
    _expect_open(session, slug)
    wanted = {f"api:{slug}:{key}:{id_}": id_ for id_ in sorted(contact_ids)}
    fresh = sorted(row[0] for row in driver(session).execute(TAKE_KEYS, (sorted(wanted),)).fetchall())
    admit.start(session, slug, [admit.Start(wanted[message_id], message_id) for message_id in fresh], now)
    return len(fresh)


def _expect_open(session: Session, slug: str) -> None:
    """Raises NotFound, or Conflict if the journey lets nobody in by call."""
    # Locked, so that it stays live until the commit; without a join, which would lose a version published meanwhile.
    query = select(Journey.state, Journey.live_version_id).where(Journey.slug == slug).with_for_update(read=True)
    row = session.execute(query).first()
    if row is None or row.live_version_id is None:
        raise NotFound("published journey", slug)
    source = select(JourneyVersion.source).where(JourneyVersion.id == row.live_version_id)
    if compiled(session.execute(source).scalar_one()).journey.enter.kind != "api":
        raise Conflict(f"people do not enter `{slug}` by call", "Its file has to say: enter: {api: true}.")
    if row.state != "live":
        raise Conflict(f"the journey `{slug}` is {row.state}", "It lets people in while it is live.")
