"""Let contacts into a journey by a program or by hand: `enter: {api: true}`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
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


def takes_people(session: Session, slug: str) -> bool:
    """Whether the journey is live, and programs and people at work may let contacts in."""
    query = select(JourneyVersion.source).join(Journey, Journey.live_version_id == JourneyVersion.id)
    source = session.execute(query.where(Journey.slug == slug, Journey.state == "live")).scalar()
    return source is not None and compiled(source).journey.enter.kind == "api"


def enter(
    session: Session, slug: str, contact_id: int, key: str, properties: Mapping[str, Any], now: dt.datetime
) -> bool:
    """Ask that the contact enters the journey `slug`; its rules decide soon after, in a commit of their own.

    `key` makes the call one, however often it is made for this journey: False if it was made before. `properties` are
    what `event.` reads in the journey. Raises NotFound, Conflict if the journey is not live or programs may not let
    anybody in, InvalidInput for properties that cannot be stored.
    """
    document = encode(properties, "properties").decode()
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
    message_id = f"api:{slug}:{key}"
    if driver(session).execute(TAKE_KEY, (message_id,)).fetchone() is None:
        return False
    admit.start(session, slug, [admit.Start(contact_id, message_id, document)], now)
    return True
