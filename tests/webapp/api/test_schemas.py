"""The schema that editors fetch."""

from __future__ import annotations

import json

from engine.db import Database
from journeys.language.json_schema import journey_schema
from webapp.app import create_app


def test_the_schema_of_journeys_is_open_to_everybody(database: Database) -> None:
    answer = create_app(database).test_client().get("/schema/journey-v1.json")
    assert answer.status_code == 200
    assert json.loads(answer.data) == journey_schema()
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
