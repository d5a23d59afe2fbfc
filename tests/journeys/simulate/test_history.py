"""History is read as it is replayed: one contact's events at a time, however many there are."""

from __future__ import annotations

import tracemalloc
from collections import deque

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import partitions
from engine.expr import Schema
from engine.signing import Signer
from engine.workspace import Workspace
from journeys.simulate import history, plan, population
from journeys.simulate.history import people
from tests.journeys.runtime.world import DAY, START, journey

DRAFT = journey('- email: a\n  id: a\n  if: sum of total over "Seen" ever > 5', enter="on: Seen, again: always")
PEOPLE, EACH = 30, 300


def test_a_long_history_is_not_held_for_more_than_one_contact(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "CHUNK", 500)
    partitions.ensure(session, "events", [START])
    session.execute(
        text("insert into contacts (external_id) select 'c' || i from generate_series(1, :n) i"), {"n": PEOPLE}
    )
    session.execute(
        text(
            "insert into events (message_id, received_at, occurred_at, contact_id, name, properties, source) "
            "select 'm' || c.id || '-' || i, :at, :at, c.id, 'Seen', jsonb_build_object('total', i), 'import' "
            "from contacts c, generate_series(1, :each) i"
        ),
        {"at": START, "each": EACH},
    )
    read = plan(DRAFT, Schema(), Workspace(), START, START + DAY)
    ids = population(session, read)
    signer = Signer(b"0" * 32)

    def peak(kept: int) -> int:
        tracemalloc.start()
        held = deque(people(session, read, ids, signer), maxlen=kept)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert all(len(person.facts.events) == EACH for person in held)
        return most

    assert list(ids) == sorted(ids) and len(ids) == PEOPLE
    assert [person.id for person in people(session, read, ids, signer)] == list(ids)
    assert peak(1) < peak(PEOPLE) / 3
