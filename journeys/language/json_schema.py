"""The JSON Schema (draft 2020-12) of a journey file, for editors: keys, kinds and notations, with examples.

It knows shapes only: rules, names and what belongs together are checked by `journeys.language.check`. Everything that
reads is valid under it.
"""

from __future__ import annotations

from typing import Any

from journeys.language.kinds import KINDS
from journeys.language.parse import KEYS
from journeys.language.read_parts import TRIGGERS
from journeys.language.read_sends import JOURNEY_OPTIONS

ID = "https://cairn.example/schema/journey-v1.json"
Json = dict[str, Any]

_NAME = {"type": ["string", "integer"], "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}
_TEXT = {"type": ["string", "number", "boolean"]}
_LITERAL = {"type": ["string", "number", "boolean", "null", "array", "object"]}


def _text(description: str, *examples: Any) -> Json:
    return {**_TEXT, "description": description, **({"examples": list(examples)} if examples else {})}


def _object(properties: Json, required: tuple[str, ...] = (), **more: Any) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def _list(items: Json, **more: Any) -> Json:
    return {"type": ["array", "null"], "items": items, **more}


def _ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


_RULE = _text("A rule.", 'did "Order Completed" in the last 30 days', 'plan is "pro"')
_DURATION = _text("A length of time.", "3 days", "1 hour")
_STEPS = _list(_ref("step"))
_OPTIONS: Json = {
    "topic": _text("What the message is about; contacts may refuse a topic.", "news"),
    "quiet": _text("Hours without sends; the message is held.", "21:00-08:00 contact", "none"),
    "cap": _text("At most so many messages in a span; what is above is dropped.", "3 per week", "none"),
    "at": _text("The local time at which it may leave.", "09:30 contact", "monday 09:30 Europe/Berlin", "best"),
    "expires": _text("How long after it was queued it may still leave.", "2 days"),
    "from": _text("The identity that an email is from, by its name under Settings.", "shop", "none"),
    "if": _RULE | {"description": "Skip the message unless this rule holds."},
    "fallback": _STEPS | {"description": "Steps for those whom the message cannot reach."},
}
_PATHS: dict[str, Json] = {
    "branch": _object({"when": _RULE, "else": {"type": "null"}, "do": _STEPS, "name": _TEXT}),
    "split": _object({"share": _text("A share of all.", "50%", "1/3"), "do": _STEPS, "name": _TEXT}, ("share",)),
}
_OPTION_OF: dict[tuple[str, str], Json] = {
    ("webhook", "store"): _text("The attribute that takes the response.", "crm.task_id"),
    ("wait_for", "any"): _list(_object({"when": _RULE, "do": _STEPS, "name": _TEXT}, ("when",)), minItems=1),
    ("wait_for", "up_to"): _text("The longest time to wait.", "3 days", "2 days before trial_ends_at"),
    ("wait_for", "timeout"): _STEPS | {"description": "Steps for those whose time is up."},
    ("branch", "paths"): _list(_PATHS["branch"], minItems=1),
    ("split", "paths"): _list(_PATHS["split"], minItems=1),
    ("split", "winner"): _text("When the best arm takes all.", "clicks after 3 days"),
    ("score", "name"): _text("The attribute that holds the score.", "score"),
    ("notify", "message"): _text("What to say."),
    ("event", "properties"): {"type": "object", "description": "Properties of the event."},
    ("repeat", "do"): _STEPS,
}
_VALUE: dict[str, Json] = {
    "email": _text("Send the email with this slug.", "welcome"),
    "sms": _text("Send the text message with this slug.", "cart-sms"),
    "webhook": _text("Call the webhook with this slug.", "crm/create-task"),
    "wait": _text("How long, or until when.", "3 days", "until 09:30 contact", "until 2 days before trial_ends_at"),
    "wait_for": {**_RULE, "type": ["string", "boolean", "null"], "description": "The rule to wait for."},
    "branch": {
        "type": ["string", "number", "null"],
        "description": "A title. The first path whose rule holds is taken.",
    },
    "split": {"type": ["string", "number", "null"], "description": "A title. Contacts are drawn into paths, for good."},
    "set": {"type": "object", "minProperties": 1, "description": "Attributes and their new values."},
    "score": {"type": ["integer", "string"], "description": "Points to add; may be negative."},
    "list": _object({name: {"anyOf": [_TEXT, _list(_TEXT)]} for name in ("add", "remove")}, minProperties=1),
    "notify": _text("The address or webhook of a colleague.", "sales@example.com"),
    "event": _text("The name of an event to record.", "Trial Nudged"),
    "journey": {**_NAME, "description": "The journey to start."},
    "repeat": {"type": ["integer", "string"], "description": "How often, 1 to 100.", "examples": ["3 times"]},
    "exit": {"type": ["boolean", "string", "null"], "description": "End the entry here; a text is the reason."},
}


def journey_schema() -> Json:
    """The schema, as plain data."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Cairn journey",
        **_object({key: _KEYS[key] for key in KEYS}, ("journey", "enter", "steps")),
        "$defs": {"step": {"anyOf": [_step(kind) for kind in KINDS]}},
    }


def _step(kind: str) -> Json:
    options = {name: _OPTION_OF.get((kind, name)) or _OPTIONS[name] for name in KINDS[kind].options}
    common: Json = {"id": {**_NAME, "description": "The step's name; people in flight are held by it."}}
    if kind != "exit":
        common["exit"] = {"type": "boolean", "description": "End the entry after this step."}
    return _object({kind: _VALUE[kind], **common, **options}, (kind,), title=kind)


def _enter() -> Json:
    triggers: Json = {
        "on": _text("The event that lets people in.", "Signed Up"),
        "segment": _text("The segment whose new members enter.", "vip"),
        "schedule": _text("When everybody enters for whom `where` holds.", "every monday 09:00 Europe/Berlin"),
        "api": {"const": True, "description": "Programs let people in."},
        "date": _text("A date of the contact.", "3 days before trial_ends_at"),
    }
    further: Json = {
        "where": _RULE,
        "again": _text("How often one contact may enter.", "once", "always", "after 90 days", "per event.order_id"),
        "existing": {"type": "boolean", "description": "Also those who are in the segment at publish."},
    }
    return _object(
        {**{name: triggers[name] for name in TRIGGERS}, **further}, oneOf=[{"required": [t]} for t in TRIGGERS]
    )


def _tests() -> Json:
    event = _object({"at": _text("When.", "start", "2 days", "2026-11-20T10:00:00Z"), "event": _TEXT,
                     "properties": {"type": "object"}}, ("at", "event"))  # fmt: skip
    expect = _object({"path": _list(_TEXT), "messages": _list(_TEXT)})
    known = {"name": _TEXT, "contact": {"type": "object"}, "events": _list(event), "expect": expect}
    return _list(_object(known, ("name", "expect")))


_KEYS: Json = {
    "journey": {**_NAME, "description": "The name. It never changes."},
    "title": _text("What people read."),
    "enter": _enter(),
    "holdout": _text("A share that gets nothing, so that lift can be measured.", "10%"),
    "goal": _object(
        {
            "when": _RULE,
            "within": _DURATION,
            "value": _text("What it is worth.", "event.total", 25),
            "stay": {"type": "boolean", "description": "The goal does not end the entry."},
        },
        ("when",),
    ),
    "exit": {"anyOf": [_RULE, _list(_RULE)], "description": "Who meets one of these rules leaves."},
    "send": _object({name: _OPTIONS[name] for name in JOURNEY_OPTIONS}, description="Options of all sends."),
    "steps": _list(_ref("step"), minItems=1),
    "moved": _list(_object({"from": _NAME, "to": _NAME}, ("from", "to"))),
    "layout": {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
    },
    "tests": _tests(),
}
