"""Pause, resume, drain and stop a journey: first whom it concerns, then the deed."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import InvalidInput
from journeys.runtime import states
from journeys.runtime.inside import standing
from webapp.auth.people import signed_in
from webapp.pages.journeys import find_journey
from webapp.pages.queries import journeys as queries
from webapp.pages.work import work

SAID = {
    "pause": "Nobody enters or moves, and nothing is sent, until you resume. Clocks run on.",
    "resume": "What fell due meanwhile happens now.",
    "drain": "Nobody enters any more; those inside go on.",
    "stop": "Its entries end now, and its queued messages are cancelled.",
}


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/journeys/<slug>/state", "journey_state", state, methods=["GET", "POST"])


def state(slug: str) -> ResponseReturnValue:
    """Whom the deed would concern; posting does it."""
    verb = request.values.get("action", "")
    if verb not in states.STATES:
        raise InvalidInput(f"“{verb}” cannot be done to a journey", "action")
    return _done(slug, verb) if request.method == "POST" else _asked(slug, verb)


def _done(slug: str, verb: str) -> ResponseReturnValue:
    with work() as opened:
        found = states.change(opened.session, slug, verb, opened.now, signed_in().email)
        flash(f"The journey is {found.state}. {SAID[verb]}", "success")
    return redirect(url_for("pages.journey", slug=slug))


def _asked(slug: str, verb: str) -> ResponseReturnValue:
    with work() as opened:
        found = find_journey(opened.session, slug)
        groups = standing(opened.session, [found.id])
        context = {
            "inside": sum(sum(group.steps.values()) for group in groups),
            "groups": groups,
            "queued": queries.to_be_sent(opened.session, found.id),
            "entering": queries.to_be_let_in(opened.session, found.id),
        }
    partial = request.headers.get("HX-Request") and not request.headers.get("HX-Boosted")
    template = "pages/parts/state_sheet.html" if partial else "pages/journey_state.html"
    return render_template(template, journey=found, verb=verb, tab="", partial=bool(partial), **context)
