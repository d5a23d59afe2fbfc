"""Journeys: the list, one journey's numbers, its text, its versions, and who is at a step."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.model import Journey
from journeys import publish
from journeys.language.parse import Reading, read
from journeys.language.problems import Problem
from journeys.runtime import numbers
from journeys.runtime.inside import standing
from webapp.pages.outline import entrance, outline
from webapp.pages.paging import number_cursor
from webapp.pages.queries import contacts
from webapp.pages.queries import journeys as queries
from webapp.pages.work import Work, work

LONGEST_TEXT = 500_000
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
    blueprint.add_url_rule("/journeys/<slug>/people", "journey_people", people)
    blueprint.add_url_rule("/journeys/-/check", "journey_check", check, methods=["POST"])


def listing() -> ResponseReturnValue:
    """All journeys with their main figures."""
    with work() as opened:
        rows = queries.overview(opened.session)
    return render_template("pages/journeys.html", journeys=rows)


def journey(slug: str) -> ResponseReturnValue:
    """The outline of the live version with what happened at each step."""
    with work() as opened:
        found = find_journey(opened.session, slug)
        source = _live_source(opened.session, found)
        counts = numbers.step_counts(opened.session, found.id)
        summary = next(row for row in queries.overview(opened.session) if row.slug == slug)
    parsed = read(source).journey if source else None
    context = {"journey": found, "counts": counts, "summary": summary, "parsed": parsed}
    nodes = outline(parsed.steps) if parsed else ()
    return render_template("pages/journey.html", tab="numbers", nodes=nodes, entrance=entrance(parsed), **context)


def new() -> ResponseReturnValue:
    """Write the first text of a journey; it is named in the text."""
    if request.method == "POST" and request.form.get("action") != "edit":
        return _submitted(None)
    with work() as opened:
        source = posted_text() or STARTER
        return editor(None, source, publish.check(opened.session, source))


def text(slug: str) -> ResponseReturnValue:
    """The text: save it as a draft, or come back to it from the publish sheet."""
    if request.method == "POST" and request.form.get("action") != "edit":
        return _submitted(slug)
    with work() as opened:
        found = find_journey(opened.session, slug)
        typed = posted_text() if request.method == "POST" else ""
        source = typed or found.draft or _live_source(opened.session, found) or ""
        return editor(found, source, publish.check(opened.session, source))


def check() -> ResponseReturnValue:
    """The list of problems of a text that is being written, for htmx."""
    with work() as opened:
        found = publish.check(opened.session, posted_text())
    return render_template("pages/parts/problems.html", problems=found)


def versions(slug: str) -> ResponseReturnValue:
    """Every published version with the people who are still on it."""
    with work() as opened:
        found = find_journey(opened.session, slug)
        rows = queries.versions(opened.session, found.id)
        inside = {group.version_id: group.steps for group in standing(opened.session, [found.id])}
    return render_template("pages/journey_versions.html", tab="versions", journey=found, versions=rows, inside=inside)


def people(slug: str) -> ResponseReturnValue:
    """Who is in a journey now, or at a step, or on a version of it, who entered last first."""
    step, number = request.args.get("step", ""), request.args.get("version", type=int)
    with work() as opened:
        found = find_journey(opened.session, slug)
        page = queries.people(opened.session, found.id, step, number, number_cursor(request.args.get("after")))
    context = {"journey": found, "step": step, "number": number, "name": contacts.display_name}
    return render_template("pages/journey_people.html", tab="", page=page, **context)


def posted_text() -> str:
    """The text of the form, with line ends as they are stored."""
    return request.form.get("text", "").replace("\r\n", "\n").replace("\0", "")[:LONGEST_TEXT]


def _submitted(slug: str | None) -> ResponseReturnValue:
    source = posted_text()
    with work() as opened:
        found = find_journey(opened.session, slug) if slug else None
        if problems := _no_draft(found, source):
            return editor(found, source, problems, 422)
        name = slug or str(read(source).journey.slug)  # type: ignore[union-attr]
        _save_draft(opened, name, source)
    return redirect(url_for("pages.journey_text", slug=name))


def _no_draft(found: Journey | None, source: str) -> list[Problem]:
    """Why this cannot be kept: a draft may be wrong, but must name its journey."""
    reading = read(source)
    return renamed(found, reading) or (reading.problems if found is None and reading.journey is None else [])


def renamed(found: Journey | None, reading: Reading) -> list[Problem]:
    """What is wrong with a text that names another journey than the one that it is to be a text of."""
    if found is None or reading.journey is None or reading.journey.slug == found.slug:
        return []
    hint = f"Write `journey: {found.slug}`, or make a new journey from this text."
    return [Problem("error", 1, 1, "A journey keeps its name: people in it are found by it.", (), hint)]


def _save_draft(opened: Work, slug: str, source: str) -> None:
    found = queries.by_slug(opened.session, slug)
    if found is None:
        found = Journey(slug=slug)
        opened.session.add(found)
    found.draft = source
    flash("Draft saved. Nothing changes for contacts until you publish.", "success")


def editor(found: Journey | None, source: str, problems: list[Problem], status: int = 200) -> ResponseReturnValue:
    """The page with the text and its problems; with a status that refuses, it says so."""
    context = {"journey": found, "source": source, "problems": problems}
    return render_template("pages/journey_text.html", tab="text", refused=status >= 400, **context), status


def find_journey(session: Session, slug: str) -> Journey:
    """The journey of this name. Raises NotFound."""
    found = queries.by_slug(session, slug)
    if found is None:
        raise NotFound("journey", slug)
    return found


def _live_source(session: Session, found: Journey) -> str | None:
    if found.live_version_id is None:
        return found.draft
    return queries.source_of(session, found.live_version_id)
