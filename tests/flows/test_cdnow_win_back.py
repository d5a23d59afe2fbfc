"""A win-back journey over eighteen months of real purchases, on the virtual clock, against an oracle."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import text

from engine import clock
from engine.content import store
from engine.db import Database
from engine.imports.contacts import import_contacts
from engine.imports.events import import_events
from engine.reports import roi
from engine.settings import settings
from journeys.publish import publish
from journeys.runtime.numbers import step_counts
from tests.flows.cdnow import needs_purchases, purchases, win_back, write_files
from tests.smtp import recording_server
from workers import sending
from workers.virtual import run_until

JOURNEY = """\
journey: cdnow-win-back
enter: {on: Order Completed, again: always}
holdout: 10%
goal: {when: did "Order Completed" since entry, within: 120 days, value: event.revenue, stay: true}
steps:
  - wait_for: did "Order Completed" since entry
    id: next-purchase
    up_to: 90 days
    timeout:
      - email: come-back
        id: mail
"""
CONTENT = """\
---
subject: We miss you
---
<mjml><mj-body><mj-section><mj-column>
<mj-text>Come back, <a href="https://shop.example/new">see what is new</a>.</mj-text>
</mj-column></mj-section></mj-body></mjml>
"""
START = dt.datetime(1997, 1, 1, tzinfo=dt.UTC)
STOP = dt.datetime(1998, 10, 1, tzinfo=dt.UTC)


@needs_purchases
@pytest.mark.timeout(900)
def test_entries_waits_and_messages_equal_the_oracle(database: Database, tmp_path: Path, monkeypatch) -> None:
    lines = purchases()
    contacts, events = write_files(tmp_path, lines)
    with recording_server() as server:
        monkeypatch.setenv("CAIRN_SMTP_URL", server.url)
        settings.cache_clear()
        sending.close()
        with database.transaction() as session:
            clock.set_virtual(session, START)
            store.save(session, CONTENT, "come-back", "email", START)
            publish(session, JOURNEY, START, "test")
        import_contacts(database, contacts, now=START, folder=tmp_path)
        imported = import_events(database, events, now=START, folder=tmp_path, virtual=True, trigger=True)
        assert imported.accepted == len(lines)
        run_until(database, STOP)
        sending.close()
    settings.cache_clear()

    with database.transaction() as session:
        held_out = set(
            session.execute(
                text(
                    "select distinct c.external_id from enrolments e join contacts c on c.id = e.contact_id "
                    "where e.held_out"
                )
            ).scalars()
        )
        expected = win_back(lines, held_out)
        entries = session.execute(text("select count(*) from enrolments")).scalar_one()
        outcomes = Counter(dict(session.execute(text("select outcome, count(*) from step_log group by outcome")).all()))
        accepted = dict(
            session.execute(
                text(
                    "select c.external_id, count(*) from messages m join contacts c on c.id = m.contact_id "
                    "where m.state = 'accepted' group by 1"
                )
            ).all()
        )
        states = dict(session.execute(text("select state, count(*) from messages group by state")).all())
        journey_id = session.execute(text("select id from journeys")).scalar_one()
        counts = step_counts(session, journey_id)
        [journey] = roi.report(session).journeys
        active = session.execute(text("select count(*) from enrolments where status = 'active'")).scalar_one()

    assert entries == expected.entries == len(lines)
    assert outcomes["met"] == expected.met
    assert outcomes["timed_out"] == expected.timed_out
    assert accepted == dict(expected.mailed)
    assert set(states) == {"accepted"}
    assert server.accepted == Counter({f"c{c}@cdnow.example": n for c, n in expected.mailed.items()})
    assert journey.goals + journey.held_out_goals == expected.goals
    assert counts["mail"].sent == sum(expected.mailed.values())
    assert counts["next-purchase"].outcomes["met"] == expected.met
    assert active == 0
    customers = len({line.customer for line in lines})
    assert abs(len(held_out) - customers / 10) < 4 * math.sqrt(customers * 0.1 * 0.9)
    assert journey.holdout is not None and journey.holdout.contacts == len(held_out)
    assert journey.whole.lift is not None and journey.whole.lift.enough
