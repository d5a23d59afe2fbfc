"""What `/v1` offers, as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0) at `/openapi.json`. Open to everybody."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, jsonify

from webapp.api.ingest import SINGLE

Paths = dict[str, dict[str, Any]]

REASONS = {
    "400": "The request is wrong; `message` names the field.",
    "401": "The key is missing, unknown or revoked.",
    "403": "The key is not for this; `message` says which one is.",
    "404": "There is no such contact, journey, content or message.",
    "409": "The journey lets nobody in now.",
    "413": "The body is too large.",
    "422": "The key stands for a call that said something else.",
    "429": "Too much at once: come back after `Retry-After`.",
    "503": "The database is away: come back after `Retry-After`.",
}
SUCCESS = {"type": "object", "properties": {"success": {"const": True}}, "required": ["success"]}
FAILURE = {
    "type": "object",
    "properties": {"success": {"const": False}, "message": {"type": "string"}},
    "required": ["success", "message"],
}
CALL = {
    "type": "object",
    "properties": {
        "messageId": {"type": "string", "description": "Makes the call one, however often it is sent."},
        "userId": {"type": "string"},
        "anonymousId": {"type": "string"},
        "event": {"type": "string", "description": "What happened; of `track`."},
        "properties": {"type": "object"},
        "traits": {"type": "object"},
        "timestamp": {"type": "string", "format": "date-time"},
        "sentAt": {"type": "string", "format": "date-time"},
    },
}
CONSENT = {
    "type": "object",
    "properties": {
        **{name: {"type": "string"} for name in ("userId", "email", "phone", "wording", "ip", "userAgent", "expires")},
        "state": {"enum": ["subscribed", "unsubscribed"]},
        "channel": {"enum": ["email", "sms", "tracking"]},
        "topics": {"type": "array", "items": {"type": "string"}},
        "basis": {"enum": ["consent", "implied", "legitimate_interest", "contract"]},
        "confirm": {
            "type": "boolean",
            "description": "Whether they are asked by email or text first; without it by topic.",
        },
    },
    "required": ["state"],
}
BATCH = {"type": "object", "properties": {"batch": {"type": "array", "items": CALL}}, "required": ["batch"]}
ENTERING = {
    "type": "object",
    "properties": {
        "userId": {"type": "string"},
        "email": {"type": "string"},
        "phone": {"type": "string"},
        "messageId": {"type": "string"},
        "properties": {"type": "object", "description": "What `event.` reads in the journey."},
    },
}
LEAVING = {"type": "object", "properties": {name: {"type": "string"} for name in ("userId", "email", "phone")}}
ENTERED = {
    "type": "object",
    "properties": {
        "success": {"const": True},
        "duplicate": {"type": "boolean", "description": "The call was made before, and did nothing now."},
    },
    "required": ["success", "duplicate"],
}
LEFT = {
    "type": "object",
    "properties": {
        "success": {"const": True},
        "left": {"type": "boolean", "description": "False if the contact was not in the journey."},
    },
    "required": ["success", "left"],
}
LISTING = {
    "type": "object",
    "properties": {
        "contacts": {
            "type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 1000,
            "description": "External ids, email addresses and phone numbers.",
        }
    },
    "required": ["contacts"],
}  # fmt: skip
CHANGED = {
    "type": "object",
    "properties": {
        "success": {"const": True},
        "changed": {"type": "integer", "description": "How many are on, or off, the list who were not."},
        "unknown": {"type": "array", "items": {"type": "string"}, "description": "Names that nobody has."},
    },
    "required": ["success", "changed", "unknown"],
}
SENDING = {
    "type": "object",
    "properties": {
        "content": {"type": "string", "description": "The content's name."},
        "to": {
            "type": "object",
            "properties": {"userId": {"type": "string"}, "email": {"type": "string"}, "phone": {"type": "string"}},
            "description": "The contact; made if need be.",
        },
        "messageId": {"type": "string", "description": "Makes the call one; or the header `Idempotency-Key`."},
        "properties": {"type": "object", "description": "What `event.` reads in the content."},
        "send_at": {"type": "string", "format": "date-time"},
        "from": {"type": "string", "description": "The identity that an email is from."},
        "expires": {"type": "string", "format": "date-time"},
    },
    "required": ["content", "to"],
}
SENT = {
    "type": "object",
    "properties": {"success": {"const": True}, "token": {"type": "string"}},
    "required": ["success", "token"],
}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
MESSAGE = {
    "type": "object",
    "description": "A message and what became of it.",
    "properties": {
        "token": {"type": "string"},
        "content": {"type": "string"},
        "channel": {"enum": ["email", "sms"]},
        "state": {
            "enum": [
                "queued", "sending", "accepted", "delivered", "bounced", "complained", "failed", "unknown",
                "suppressed", "expired", "cancelled",
            ]
        },
        "reason": {"type": ["string", "null"]},
        "attempts": {"type": "integer"},
        **dict.fromkeys(
            (
                "queued_at", "send_after", "expires_at", "accepted_at", "delivered_at", "ended_at", "first_open_at",
                "first_click_at",
            ),
            MOMENT,
        ),
    },
}  # fmt: skip
RULE = {
    "type": "object",
    "description": "A rule with its verdict, the values that it saw, and the parts that it is made of.",
    "properties": {
        "rule": {"type": "string"},
        "english": {"type": "string"},
        "verdict": {"type": "boolean"},
        "changes_at": {"type": ["string", "null"], "format": "date-time"},
        "seen": {"type": "array", "items": {"type": "object"}},
        "parts": {"type": "array", "items": {"type": "object"}},
    },
}
REFUSAL = {
    "type": "object",
    "properties": {
        "why": {"type": "string"},
        "words": {"type": "string"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "rule": {"oneOf": [{"$ref": "#/components/schemas/Rule"}, {"type": "null"}]},
    },
}
STORY = {
    "type": "object",
    "description": "A contact and a journey, as `cairn journeys explain --json` prints it.",
    "properties": {
        "journey": {"type": "string"},
        "state": {"type": "string"},
        "live_version": {"type": ["integer", "null"]},
        "contact": {"type": "string"},
        "verdict": {"type": "string"},
        "entries": {
            "type": "array",
            "description": "Oldest first, with steps, messages and their gates, calls, and what is waited for.",
            "items": {"type": "object"},
        },
        "refusals": {"type": "array", "items": {"$ref": "#/components/schemas/Refusal"}},
    },
    "required": ["journey", "state", "live_version", "contact", "verdict", "entries", "refusals"],
}


def init_app(app: Flask) -> None:
    """Register /openapi.json."""
    blueprint = Blueprint("openapi", __name__)
    blueprint.get("/openapi.json")(openapi)
    app.register_blueprint(blueprint)


def openapi() -> Response:
    """The document."""
    answer = jsonify(document())
    answer.access_control_allow_origin = "*"
    return answer


def document() -> dict[str, Any]:
    """The document as a value."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Cairn", "version": "1"},
        "security": [{"basic": []}, {"bearer": []}],
        "paths": {**_calls(), **_journeys(), **_receipts(), **_contacts(), **_lists(), **_messages()},
        "components": {
            "schemas": {"Story": STORY, "Refusal": REFUSAL, "Rule": RULE, "Failure": FAILURE},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic", "description": "The key as user, no password."},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _calls() -> Paths:
    paths = {f"/v1/{name}": _posted(f"Segment's `{name}`; needs the scope `ingest`.", CALL) for name in SINGLE}
    paths["/v1/batch"] = _posted("Many calls at once; needs the scope `ingest`.", BATCH)
    return {path: {"post": posted} for path, posted in paths.items()}


def _journeys() -> Paths:
    journey = _parameter("path", "name", "The journey's name.")
    entering = {
        **_posted("Let a contact into a journey; needs the scope `ingest`.", ENTERING, journey),
        "responses": _responses("200", ENTERED, "400", "401", "404", "409", "413", "503"),
    }
    leaving = _posted("Take a contact out of a journey; needs the scope `ingest`.", LEAVING, journey)
    left = _responses("200", LEFT, "400", "401", "404", "413", "503")
    return {
        "/v1/journeys/{name}/enter": {"post": entering},
        "/v1/journeys/{name}/leave": {"post": {**leaving, "responses": left}},
    }


def _receipts() -> Paths:
    mail = {"required": True, "content": {"message/rfc822": {"schema": {"type": "string"}}}}
    posted = _posted("A mail that came back; needs the scope `receipts`.", {}, status="202")
    return {"/v1/receipts/raw": {"post": {**posted, "requestBody": mail}}}


def _contacts() -> Paths:
    contact = _parameter("path", "id", "An external id, an email address, a phone number, or the id on pages.")
    asked = _parameter("query", "journey", "The journey's name.")
    story = {
        "summary": "Why a contact did, or did not, get what a journey sends; needs the scope `read`.",
        "parameters": [contact, asked],
        "responses": _responses("200", {"$ref": "#/components/schemas/Story"}, "400", "401", "403", "404", "503"),
    }
    said = {
        **_posted("Say what a contact agreed to elsewhere; needs the scope `consent`.", CONSENT),
        "responses": _responses("200", SUCCESS, "400", "401", "403", "404", "413", "503"),
    }
    return {"/v1/contacts/{id}/explain": {"get": story}, "/v1/consent": {"post": said}}


def _lists() -> Paths:
    name = _parameter("path", "name", "The list's name.")
    responses = _responses("200", CHANGED, "400", "401", "403", "404", "413", "503")
    said = {
        "add": "Put contacts on a list; needs the scope `lists`.",
        "remove": "Take contacts off a list; needs the scope `lists`.",
    }
    return {
        f"/v1/lists/{{name}}/{verb}": {"post": {**_posted(summary, LISTING, name), "responses": responses}}
        for verb, summary in said.items()
    }


def _messages() -> Paths:
    sending = {
        **_posted("Send one message to one contact, whatever they said of consent; needs `send`.", SENDING),
        "responses": _responses("202", SENT, "400", "401", "403", "404", "413", "422", "429", "503"),
    }
    fate = {
        "summary": "What became of a message sent so; needs the scope `send`.",
        "parameters": [_parameter("path", "token", "What sending the message gave.")],
        "responses": _responses("200", MESSAGE, "401", "403", "404", "503"),
    }
    return {"/v1/messages": {"post": sending}, "/v1/messages/{token}": {"get": fate}}


def _parameter(place: str, name: str, description: str) -> dict[str, Any]:
    return {"in": place, "name": name, "required": True, "description": description, "schema": {"type": "string"}}


def _posted(summary: str, schema: dict[str, Any], *parameters: dict[str, Any], status: str = "200") -> dict[str, Any]:
    return {
        "summary": summary,
        "parameters": list(parameters),
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": _responses(status, SUCCESS, "400", "401", "413", "429", "503"),
    }


def _responses(status: str, schema: dict[str, Any], *failures: str) -> dict[str, Any]:
    failed = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    return {
        status: {"description": "Done.", "content": {"application/json": {"schema": schema}}},
        **{code: {"description": REASONS[code], "content": failed} for code in failures},
    }
