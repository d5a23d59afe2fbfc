"""What editors fetch: the JSON Schema of journey files. Open to everybody; it says nothing of this installation."""

from __future__ import annotations

import json

from flask import Blueprint, Flask, Response

from journeys.language.json_schema import journey_schema

DAY = 24 * 60 * 60


def init_app(app: Flask) -> None:
    """Register /schema/journey-v1.json."""
    blueprint = Blueprint("schemas", __name__)
    blueprint.get("/schema/journey-v1.json")(journey_v1)
    app.register_blueprint(blueprint)


def journey_v1() -> Response:
    """The schema of journey files, version 1."""
    answer = Response(json.dumps(journey_schema(), indent=1), mimetype="application/schema+json")
    answer.cache_control.public, answer.cache_control.max_age = True, DAY
    answer.access_control_allow_origin = "*"
    return answer
