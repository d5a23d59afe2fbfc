"""Trial renders of a compiled content: once with nothing known of the contact, once with plenty of everything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from engine.errors import LanguageError
from engine.rendering import email, sms
from engine.rendering.envelope import Envelope
from engine.rendering.errors import LimitError, RenderError

rounds = 20


def sample_envelope() -> Envelope:
    """An envelope with every address set, at a fixed instant."""
    base = "https://example.com"
    return Envelope(
        token="sample",
        from_address="sender@example.com",
        from_name="Sender",
        to_address="contact@example.com",
        date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        message_domain="example.com",
        unsubscribe_url=base + "/u",
        preferences_url=base + "/p",
        view_url=base + "/v",
        open_url=base + "/o",
        click_urls=lambda positions: [f"{base}/c/{position}" for position in positions],
        postal_address="1 Example Street",
    )


def sample_context(paths: list[str]) -> dict[str, Any]:
    """A value for every path: numbers are texts and numbers at once in templates, so 7; a path to items is a list."""
    context: dict[str, Any] = {}
    for path in sorted(paths, key=lambda path: path.count(".")):
        *parents, last = path.split(".")
        place = context
        for name in parents:
            inside = place.get(name)
            if not isinstance(inside, dict):
                inside = place[name] = {}
            place = inside
        place.setdefault(last, 7)
    return context


def try_out(compiled: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Warnings from trial renders. Raises LanguageError when a render takes more than a message may."""
    failed: list[RenderError] = []
    lists = [[dict.fromkeys(("name", "title", "price", "url", "image", "quantity"), "7")] * rounds]
    contexts: list[dict[str, Any]] = [{}, sample_context(compiled["variables"])]
    contexts += [dict.fromkeys(compiled["names"], lists[0])]
    contexts += [
        {name: {path.split(".")[1]: lists[0] for path in children(compiled, name)} for name in compiled["names"]}
    ]
    renderer = sms.load(compiled) if compiled["channel"] == "sms" else email.load(compiled)
    unknown: RenderError | None = None
    for number, context in enumerate(contexts):
        try:
            render(renderer, context)
        except LimitError as error:
            raise LanguageError(error.message, hint="look for nested loops and texts that double themselves") from error
        except RenderError as error:
            failed.append(error)
            unknown = error if number == 0 else unknown
    if len(failed) == len(contexts):
        return [note(failed[0], "Nobody may get a message, as it fails with all sample values")]
    return [note(unknown, "A contact without these values gets no message")] if unknown else []


def children(compiled: Mapping[str, Any], name: str) -> list[str]:
    """The paths below a name."""
    return [path for path in compiled["variables"] if path.startswith(name + ".")]


def render(renderer: email.Renderer | sms.SmsRenderer, context: Mapping[str, Any]) -> None:
    """One trial. Raises RenderError."""
    if isinstance(renderer, email.Renderer):
        renderer.render(context, sample_envelope())
    else:
        renderer.render(context)


def note(error: RenderError, what: str) -> dict[str, Any]:
    """A warning that a render fails."""
    hint = "add defaults: to the front matter, or {% if %} around it"
    return {"kind": "fails-empty", "line": 1, "message": f"{what}: {error.message}", "hint": hint}
