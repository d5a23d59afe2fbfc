"""Queue what a step delivers, in the commit of the step: who it is about is written down as it is then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from engine.db import driver


class Step(NamedTuple):
    """Where in which journey it happens."""

    journey: str
    version_id: int
    step_id: str


class What(NamedTuple):
    """To an endpoint by slug, or (`endpoint` '') to a mail address.

    `template` is what the note says, `store` the attribute for the response.
    """

    endpoint: str
    address: str | None = None
    template: str | None = None
    store: str | None = None


ENQUEUE = """
insert into deliveries (enrolment_id, step_id, visit, endpoint, address, template, payload, store, next_at, created_at)
select e.id, %(step_id)s, u.visit, %(endpoint)s, %(address)s, %(template)s,
    jsonb_build_object('type', 'journey.step', 'timestamp', %(now)s::timestamptz, 'data', jsonb_build_object(
        'journey', %(journey)s::text, 'version', v.number, 'step', %(step_id)s::text, 'visit', u.visit,
        'entered_at', e.entered_at, 'event', e.trigger_event,
        'contact', jsonb_build_object('id', c.public_id, 'external_id', c.external_id, 'email', c.email,
            'phone', c.phone, 'timezone', c.timezone, 'locale', c.locale, 'attributes', c.attributes))),
    %(store)s, %(now)s, %(now)s
from unnest(%(ids)s::int8[], %(visits)s::int2[]) as u(id, visit)
join enrolments e on e.id = u.id join contacts c on c.id = e.contact_id
join journey_versions v on v.id = %(version_id)s
on conflict (enrolment_id, step_id, visit) do nothing
"""


def enqueue(session: Session, step: Step, what: What, entries: Sequence[tuple[int, int]], now: dt.datetime) -> None:
    """One delivery for each of the entries, given as (enrolment id, visit)."""
    ids, visits = zip(*entries, strict=True)
    values = {**step._asdict(), **what._asdict(), "ids": list(ids), "visits": list(visits), "now": now}
    driver(session).execute(ENQUEUE, values)
