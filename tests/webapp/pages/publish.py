"""Publishing as a person does: by the sheet. And people who stand in a journey."""

from __future__ import annotations

import datetime as dt
import html
import re

from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from engine.db import Database
from engine.model import Contact, Enrolment, Journey
from tests.webapp.pages.conftest import post

SEEN = re.compile(r'name="seen" value="([^"]*)"')
SMALL = """journey: {slug}
enter:
  on: Signed Up
steps:
  - wait: 2 days
    id: pause
"""


def seen(page: str) -> str:
    """What a sheet notes that its reader saw."""
    found = SEEN.search(page)
    assert found
    return html.unescape(found[1])


def publish(client: FlaskClient, slug: str, **form: str) -> TestResponse:
    """Open the sheet (`slug` is "-" for a new journey), then do what it shows."""
    sheet = post(client, f"/journeys/{slug}/plan", **form)
    assert sheet.status_code == 200, sheet.text[-3000:]
    return post(client, f"/journeys/{slug}/publish", seen=seen(sheet.text), **form)


def stand(database: Database, slug: str, step: str, count: int) -> list[int]:
    """Let `count` people of the shop wait at a step of the live version; the ids of their entries."""
    with database.transaction() as session:
        journey = session.query(Journey).filter_by(slug=slug).one()
        inside = select(Enrolment.contact_id).where(Enrolment.journey_id == journey.id)
        people = select(Contact.id).where(Contact.id.not_in(inside)).order_by(Contact.id).limit(count)
        now = session.execute(select(func.now())).scalar_one()
        rows = [
            Enrolment(
                journey_id=journey.id,
                version_id=journey.live_version_id,
                contact_id=contact_id,
                status="active",
                phase="waiting",
                step_id=step,
                wake_at=now + dt.timedelta(days=1),
                deadline=now + dt.timedelta(days=1),
                arrived_at=now - dt.timedelta(days=1),
                entered_at=now - dt.timedelta(days=1),
                trigger_occurred_at=now,
                trigger_received_at=now,
            )
            for contact_id in session.execute(people).scalars()
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def leave(database: Database, ids: list[int]) -> None:
    """These entries are over."""
    with database.transaction() as session:
        for row in session.query(Enrolment).where(Enrolment.id.in_(ids)):
            row.status, row.phase, row.wake_at = "completed", None, None
