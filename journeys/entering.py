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


def enter(
    session: Session, slug: str, contact_id: int, key: str, properties: Mapping[str, Any], now: dt.datetime
) -> bool:
    """Ask that the contact enters the journey `slug`; its rules decide soon after, in a commit of their own.

    `key` makes the call one, however often it is made for this journey: False if it was made before. `properties` are
    what `event.` reads in the journey. Raises NotFound, Conflict if the journey is not live or programs may not let
    anybody in, InvalidInput for properties that cannot be stored.
    """
    document = encode(properties, "properties").decode()
    query = select(Journey.state, JourneyVersion.source).join(
        JourneyVersion, JourneyVersion.id == Journey.live_version_id
    )
    row = session.execute(query.where(Journey.slug == slug)).first()
    if row is None:
        raise NotFound("published journey", slug)
    if compiled(row.source).journey.enter.kind != "api":
        raise Conflict(f"people do not enter `{slug}` by call", "Its file has to say: enter: {api: true}.")
    if row.state != "live":
        raise Conflict(f"the journey `{slug}` is {row.state}", "It lets people in while it is live.")
    message_id = f"api:{slug}:{key}"
    if driver(session).execute(TAKE_KEY, (message_id,)).fetchone() is None:
        return False
    admit.start(session, slug, [admit.Start(contact_id, message_id, document)], now)
    return True
