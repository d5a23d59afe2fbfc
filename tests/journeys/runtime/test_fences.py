"""The last line behind the executor's locks: what two executors would do that both believe they hold an entry."""

from __future__ import annotations

import pytest
from psycopg.errors import UniqueViolation

from engine import clock
from journeys.runtime import advance as advancing
from journeys.runtime import catalogue as catalogues
from tests.journeys.runtime.test_races import between
from tests.journeys.runtime.world import World, journey
from workers import pipeline


def test_two_executors_on_one_entry_write_one_message(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.publish(journey("- email: hello\n  id: mail\n- wait: 1 day\n  id: rest"))
    anna = world.contact()
    world.event(anna, "Signed Up")
    pipeline.match(world.database)
    monkeypatch.setattr(advancing, "CLAIM", advancing.CLAIM.replace("for update skip locked", ""))
    between(monkeypatch, "write", lambda: pipeline.advance(world.database))
    with pytest.raises(UniqueViolation), world.database.transaction() as session:
        catalogue = catalogues.load(session)
        [version] = catalogue.live
        advancing.advance(session, catalogue, version, clock.now(session))
    assert world.path(anna) == ["entered", "mail:queued", "rest:waiting"]
    assert world.messages(anna) == [("mail", "queued")]
