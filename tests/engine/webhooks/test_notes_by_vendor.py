"""Notes to colleagues where email goes through a vendor's interface."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from sqlalchemy import text

from engine.db import Database
from engine.webhooks.mail import send_notes
from tests.engine.channels.gateways import http_gateway
from tests.engine.channels.servers import free_port

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
QUEUE = """
insert into deliveries (step_id, visit, endpoint, address, payload, next_at, created_at)
values ('', 0, '', 'boss@x.example', '{"note": "A campaign paused.\nLook at it."}', :now, :now)
"""


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (200, b'{"ErrorCode": 0, "MessageID": "1"}', "delivered"),
        (401, b'{"ErrorCode": 10}', "pending"),
        (422, b'{"ErrorCode": 300, "Message": "Invalid"}', "failed"),
        (500, b"", "unknown"),
    ],
)
def test_a_note_goes_the_way_that_messages_go(database: Database, status: int, body: bytes, state: str) -> None:
    with database.transaction() as session:
        session.execute(text(QUEUE.replace("\n", " ").replace("paused. Look", "paused.\\nLook")), {"now": NOW})
    with http_gateway(lambda _: (status, body)) as (port, asked):
        assert (
            send_notes(database, lambda _: NOW, f"smtp://127.0.0.1:{free_port()} postmark+http://t@127.0.0.1:{port}")
            == 1
        )
    assert json.loads(asked[0].body)["Subject"] == "A campaign paused."
    with database.transaction() as session:
        assert session.execute(text("select state from deliveries")).scalars().all() == [state]
