"""What keeps mail from leaving is told by whose mail it is."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from engine.db import Database
from engine.identities import store
from engine.identities.values import House
from engine.messages import outages
from engine.messages.outages import Outage
from tests.engine.channels.servers import free_port
from tests.engine.messages.ledger import Make, fill, now, signer
from tests.smtp import recording_server

pytestmark = pytest.mark.timeout(60)
HOUSE = House("https://x", signer.sealing_keys)


def told(database: Database, setting: str) -> list[Outage]:
    with database.transaction() as session:
        return outages.listed(session, setting, store.listed(session, HOUSE))


def test_a_relay_that_is_away_and_one_that_stands_in_are_told_of_each_sender(database: Database, make: Make) -> None:
    dead, deader = (f"smtp://127.0.0.1:{free_port()}" for _ in range(2))
    with database.transaction() as session:
        fill(session, 6)
        form = store.Form(slug="shop", name="", address="a@shop.example", relays=dead)
        store.put(session, form, HOUSE, "ann", now)
        session.execute(text("update messages set sender = (array['shop', 'news', null])[id % 3 + 1]"))
    with recording_server() as receiver:
        with database.transaction() as session:
            form = store.Form(slug="news", name="", address="a@news.example", relays=f"{deader} {receiver.url}")
            store.put(session, form, HOUSE, "ann", now)
        make(receiver.url).turns(database)
        assert receiver.accepted.total() == 4
    found = told(database, receiver.url)
    assert [(one.what, one.by) for one in found] == [("shop", ""), ("news", receiver.url.removeprefix("smtp://"))]
    assert all("connection refused" in one.why and one.since == now for one in found)
    assert outages.summed_up(found) == {"email": "waiting", "sms": "ok"}
    assert outages.summed_up(found[1:]) == {"email": "by another relay", "sms": "ok"}
    assert str(found[0]).startswith("is not leaving since ")


def test_nothing_is_told_while_all_goes_well(database: Database, make: Make) -> None:
    with database.transaction() as session:
        fill(session, 2)
    with recording_server() as receiver:
        make(receiver.url).turns(database)
    assert told(database, receiver.url) == []
    assert outages.summed_up([]) == {"email": "ok", "sms": "ok"}
