"""Journeys: the list, one journey's numbers, its text, its versions."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from engine.errors import InvalidInput, NotFound
from engine.model import Journey
from journeys import publish
from journeys.language.choice import EVERY, RESCHEDULE
from journeys.language.parse import Reading, read
from journeys.language.problems import Problem
from journeys.runtime import numbers, states
from journeys.runtime.inside import standing
from webapp.auth.people import signed_in
from webapp.pages.outline import entrance, outline
from webapp.pages.queries import journeys as queries
from webapp.pages.work import Work, work

LONGEST_TEXT = 500_000
SAID = {
    "pause": "Nobody enters or moves, and nothing is sent.",
    "resume": "What fell due meanwhile happens now.",
    "drain": "Nobody enters any more; those inside go on.",
    "stop": "Its entries end now, and its queued messages are cancelled.",
}
STARTER = """journey: my-journey
enter:
  on: Signed Up
goal: {when: did "Order Completed" since entry, within: 30 days}
steps:
  # Name an email content of yours: `- email: NAME`, with an id below it.
  - wait: 2 days
    id: pause
  - set: {welcomed: true}
    id: mark
"""


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/journeys", "journeys", listing)
    blueprint.add_url_rule("/journeys/-/new", "journey_new", new, methods=["GET", "POST"])
    blueprint.add_url_rule("/journeys/<slug>", "journey", journey)
    blueprint.add_url_rule("/journeys/<slug>/text", "journey_text", text, methods=["GET", "POST"])
    blueprint.add_url_rule("/journeys/<slug>/versions", "journey_versions", versions)
    blueprint.add_url_rule("/journeys/<slug>/state", "journey_state", state, methods=["POST"])
    blueprint.add_url_rule("/journeys/<slug>/rollback", "journey_rollback", roll_back, methods=["POST"])
    blueprint.add_url_rule("/journeys/-/check", "journey_check", check, methods=["POST"])


def listing() -> ResponseReturnValue:
    """All journeys with their main figures."""
    with work() as opened:
        rows = queries.overview(opened.session)
    return render_template("pages/journeys.html", journeys=rows)


def journey(slug: str) -> ResponseReturnValue:
    """The outline of the live version with what happened at each step."""
    with work() as opened:
        found = _find(opened.session, slug)
        source = _live_source(opened.session, found)
        counts = numbers.step_counts(opened.session, found.id)
        summary = next(row for row in queries.overview(opened.session) if row.slug == slug)
    parsed = read(source).journey if source else None
    context = {"journey": found, "counts": counts, "summary": summary, "parsed": parsed}
    nodes = outline(parsed.steps) if parsed else ()
    return render_template("pages/journey.html", tab="numbers", nodes=nodes, entrance=entrance(parsed), **context)


def new() -> ResponseReturnValue:
    """Write the first text of a journey; it is named in the text."""
    if request.method == "POST":
        return _submitted(None)
    with work() as opened:
        return _editor(None, STARTER, publish.check(opened.session, STARTER))


def text(slug: str) -> ResponseReturnValue:
    """The text: save it as a draft, or publish it."""
    if request.method == "POST":
        return _submitted(slug)
    with work() as opened:
        found = _find(opened.session, slug)
        source = found.draft or _live_source(opened.session, found) or ""
        return _editor(found, source, publish.check(opened.session, source))


def check() -> ResponseReturnValue:
    """The list of problems of a text that is being written, for htmx."""
    with work() as opened:
        found = publish.check(opened.session, _posted_text())
    return render_template("pages/parts/problems.html", problems=found)


def versions(slug: str) -> ResponseReturnValue:
    """Every published version with the people who are still on it."""
    with work() as opened:
        found = _find(opened.session, slug)
        rows = queries.versions(opened.session, found.id)
        inside = {group.version_id: group.steps for group in standing(opened.session, [found.id])}
    return render_template("pages/journey_versions.html", tab="versions", journey=found, versions=rows, inside=inside)


def state(slug: str) -> ResponseReturnValue:
    """Pause, resume, drain or stop."""
    verb = request.form.get("action", "")
    if verb not in states.STATES:
        raise InvalidInput(f"“{verb}” cannot be done to a journey", "action")
    with work() as opened:
        found = states.change(opened.session, slug, verb, opened.now, signed_in().email)
        flash(f"The journey is {found.state}. {SAID[verb]}", "success")
    return redirect(url_for("pages.journey", slug=slug))


def roll_back(slug: str) -> ResponseReturnValue:
    """Publish an earlier text again; people stay where they are, or go along where their step is still there."""
    number = request.form.get("version", type=int)
    choices = {EVERY: RESCHEDULE} if request.form.get("people") == "along" else {}
    with work() as opened:
        done = publish.rollback(opened.session, slug, number, opened.now, signed_in().email, choices)
        along = f" {done.carried.people:,} people went along." if done.carried.people else ""
        flash(f"The text of version {number} is live again, as version {done.version.number}.{along}", "success")
    return redirect(url_for("pages.journey_versions", slug=slug))


def _posted_text() -> str:
    return request.form.get("text", "").replace("\r\n", "\n").replace("\0", "")[:LONGEST_TEXT]


def _submitted(slug: str | None) -> ResponseReturnValue:
    source, publishing = _posted_text(), request.form.get("action") == "publish"
    with work() as opened:
        found = _find(opened.session, slug) if slug else None
        problems = _refusal(opened.session, found, source, publishing)
        if problems:
            return _editor(found, source, problems, 422)
        name = slug or str(read(source).journey.slug)  # type: ignore[union-attr]
        (_publish if publishing else _save_draft)(opened, name, source)
    return redirect(url_for("pages.journey" if publishing else "pages.journey_text", slug=name))


def _refusal(session: Session, found: Journey | None, source: str, publishing: bool) -> list[Problem]:
    """Why this cannot be stored: publishing refuses every error, a draft may be wrong but must name its journey."""
    reading = read(source)
    if found and reading.journey and reading.journey.slug != found.slug:
        return [_renamed(found.slug)]
    if publishing:
        problems = publish.check(session, source)
        return problems if any(problem.severity == "error" for problem in problems) else []
    return reading.problems if _nameless(found, reading) else []


def _nameless(found: Journey | None, reading: Reading) -> bool:
    return found is None and reading.journey is None


def _publish(opened: Work, _: str, source: str) -> None:
    done = publish.publish(opened.session, source, opened.now, signed_in().email)
    if done.unchanged:
        flash("This text is live already; nothing changed.", "info")
    else:
        entering = f" {done.letting_in:,} people of the segment enter now." if done.letting_in else ""
        live = f"Version {done.version.number} is live. People in the journey stay on their version."
        flash(live + entering, "success")


def _save_draft(opened: Work, slug: str, source: str) -> None:
    found = queries.by_slug(opened.session, slug)
    if found is None:
        found = Journey(slug=slug)
        opened.session.add(found)
    found.draft = source
    flash("Draft saved. Nothing changes for contacts until you publish.", "success")


def _editor(found: Journey | None, source: str, problems: list[Problem], status: int = 200) -> ResponseReturnValue:
    context = {"journey": found, "source": source, "problems": problems}
    return render_template("pages/journey_text.html", tab="text", refused=status >= 400, **context), status


def _find(session: Session, slug: str) -> Journey:
    found = queries.by_slug(session, slug)
    if found is None:
        raise NotFound("journey", slug)
    return found


def _live_source(session: Session, found: Journey) -> str | None:
    if found.live_version_id is None:
        return found.draft
    return queries.source_of(session, found.live_version_id)


def _renamed(slug: str) -> Problem:
    hint = f"Write `journey: {slug}`, or make a new journey from this text."
    return Problem("error", 1, 1, "A journey keeps its name: people in it are found by it.", (), hint)
