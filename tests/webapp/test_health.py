"""Whether a site can serve and its messages leave, for whatever watches it."""

from __future__ import annotations

import json

from engine import clock
from engine.db import Database
from engine.messages import status
from tests.webapp.calling import serving


def test_readiness_says_that_mail_waits_and_names_nobody(database: Database) -> None:
    with serving(database, smtp_url="smtp://u:secret@mx.example:25") as site:
        assert json.loads(site.client.get("/readyz").data) == {
            "ready": True, "database": "ok", "email": "ok", "sms": "ok"
        }  # fmt: skip
        with database.transaction() as session:
            status.write(session, "email", clock.now(session), "mx.example: connection refused")
        answer = site.client.get("/readyz")
        assert answer.status_code == 200 and json.loads(answer.data)["email"] == "waiting"
        assert b"mx.example" not in answer.data
