"""Publishing and rolling back: first the sheet of what it would do, then the deed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import Conflict, NotFound
from engine.model import Journey, JourneyVersion
from journeys import plan as planning
from journeys.language.parse import read
from journeys.language.problems import Problem
from journeys.publish import Published, Refused, check
from webapp.auth.people import signed_in
from webapp.pages.journeys import editor, find_journey, posted_text, renamed
from webapp.pages.sheet import Sheet, sheet_of
from webapp.pages.work import Work, work

NEW = "-"
"""Stands in an address for a journey that its text names; no journey's name begins with a dash."""
REFUSED = "Not published: the text has an error. It is in the list beside the text."


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be published: the text, of which journey (None: of the one that it names), and, if it is the text of
    an earlier version, that version's number."""

    journey: Journey | None
    source: str
    version: int | None


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/journeys/<slug>/plan", "journey_plan", plan, methods=["POST"])
    blueprint.add_url_rule("/journeys/<slug>/publish", "journey_publish", publish, methods=["POST"])


def plan(slug: str) -> ResponseReturnValue:
    """What publishing would do; htmx gets the sheet alone. Nothing is changed."""
    with work() as opened:
        asked = _asked(opened.session, slug)
        if problems := _problems(opened.session, asked):
            return _refused(asked, problems)
        return _shown(asked, sheet_of(opened, asked.source, asked.version, request.form))


def publish(slug: str) -> ResponseReturnValue:
    """Do what the sheet shows. What it no longer shows as it is, is shown anew, and nothing is changed."""
    try:
        with work() as opened:
            asked = _asked(opened.session, slug)
            if problems := _problems(opened.session, asked):
                return _refused(asked, problems)
            sheet = sheet_of(opened, asked.source, asked.version, request.form)
            if sheet.stale or not request.form.get("seen"):
                return _shown(asked, sheet, 409)
            return _published(opened, sheet)
    except Conflict:  # somebody was faster between the look above and the turn
        with work() as opened:
            asked = _asked(opened.session, slug)
            return _shown(asked, sheet_of(opened, asked.source, asked.version, request.form), 409)


def _published(opened: Work, sheet: Sheet) -> ResponseReturnValue:
    done = planning.carry_out(opened.session, sheet.plan, opened.now, signed_in().email)
    flash(_told(done, sheet.version), "info" if done.unchanged and not sheet.plan.choices else "success")
    return redirect(url_for("pages.journey", slug=sheet.plan.slug))


def _told(done: Published, version: int | None) -> str:
    live = f"Version {done.version.number} is live."
    if version is not None and not done.unchanged:
        live = f"The text of version {version} is live again, as version {done.version.number}."
    words = ["This text is live already." if done.unchanged else live]
    if done.carried.people:
        words.append(f"People who went along: {done.carried.people:,}.")
    if done.carried.ended:
        words.append(f"Entries that ended: {done.carried.ended:,}.")
    if done.letting_in:
        words.append(f"People of the segment who enter now: {done.letting_in:,}.")
    return " ".join(words)


def _asked(session: Session, slug: str) -> Asked:
    journey = None if slug == NEW else find_journey(session, slug)
    number = request.form.get("version", type=int)
    if journey is None or number is None:
        return Asked(journey, posted_text(), None)
    query = select(JourneyVersion.source).where(JourneyVersion.journey_id == journey.id)
    source = session.execute(query.where(JourneyVersion.number == number)).scalar()
    if source is None:
        raise NotFound(f"version of `{slug}` with the number", str(number))
    return Asked(journey, source, number)


def _problems(session: Session, asked: Asked) -> list[Problem]:
    """Why this cannot be published; empty if it can."""
    if found := renamed(asked.journey, read(asked.source)):
        return found
    problems = check(session, asked.source)
    return problems if any(problem.severity == "error" for problem in problems) else []


def _refused(asked: Asked, problems: list[Problem]) -> ResponseReturnValue:
    """Beside the text that is being written stands a list of problems; it is brought up to date."""
    if _partial() and asked.version is not None:
        raise Refused(problems)
    if not _partial():
        return editor(asked.journey, asked.source, problems, 422)
    answer = make_response(render_template("pages/parts/problems.html", problems=problems))
    answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#problems", "outerHTML"
    answer.headers["HX-Trigger"] = json.dumps({"toast": {"text": REFUSED, "kind": "error"}})
    return answer


def _shown(asked: Asked, sheet: Sheet, status: int = 200) -> ResponseReturnValue:
    template = "pages/parts/publish_sheet.html" if _partial() else "pages/journey_publish.html"
    context = {"journey": asked.journey, "source": asked.source, "sheet": sheet, "partial": _partial()}
    return render_template(template, slug=asked.journey.slug if asked.journey else NEW, tab="", **context), status


def _partial() -> bool:
    return bool(request.headers.get("HX-Request")) and not request.headers.get("HX-Boosted")
