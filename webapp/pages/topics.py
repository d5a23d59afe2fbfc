"""Topics as contacts choose them, and the wordings that they agree to."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from engine.contacts import topics
from engine.errors import InvalidInput
from engine.model import Topic
from webapp.pages.queries.consent import topic_counts
from webapp.pages.segments import slug_of
from webapp.pages.work import work

LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_WORDING = 120, 500, 5000
HIGHEST_POSITION = 9999


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen; no slug begins with a dash, so `-` is free for the others."""
    blueprint.add_url_rule("/topics", "topics", listing)
    blueprint.add_url_rule("/topics/-/new", "topic_new", new, methods=["GET", "POST"])
    blueprint.add_url_rule("/topics/-/wordings", "topic_wordings", word, methods=["POST"])
    blueprint.add_url_rule("/topics/<slug>", "topic", topic, methods=["GET", "POST"])
    blueprint.add_url_rule("/topics/<slug>/archive", "topic_archive", archive, methods=["POST"])


def listing() -> ResponseReturnValue:
    """All topics in the order of the preference centre, and all wordings."""
    with work() as opened:
        context = {
            "topics": topics.listed(opened.session),
            "people": topic_counts(opened.session),
            "wordings": topics.wordings(opened.session),
        }
        return render_template("pages/topics.html", **context)


def new() -> ResponseReturnValue:
    """Name a topic and say what comes of it."""
    return _submitted(None) if request.method == "POST" else _editor(Topic(public=True, default_state="subscribed"))


def topic(slug: str) -> ResponseReturnValue:
    """One topic; its slug stays, as journeys and rules use it."""
    if request.method == "POST":
        return _submitted(slug)
    with work() as opened:
        return _editor(topics.find(opened.session, slug))


def archive(slug: str) -> ResponseReturnValue:
    """Take a topic out of the preference centre, or bring it back."""
    with work() as opened:
        found = topics.find(opened.session, slug)
        if found.archived_at is None:
            topics.archive(found, opened.now)
            flash(f"{found.name} is archived. What contacts said of it stays.", "success")
        else:
            found.archived_at = None
            flash(f"{found.name} can be chosen again.", "success")
    return redirect(url_for("pages.topics"))


def word() -> ResponseReturnValue:
    """Store the newest version of a wording."""
    name, text = _posted("name", LONGEST_NAME), _posted("text", LONGEST_WORDING)
    with work() as opened:
        made = topics.word(opened.session, slug_of(name), text, opened.now)
        flash(f"The wording is stored as {made.slug}@{made.version}.", "success")
    return redirect(url_for("pages.topics"))


def _submitted(slug: str | None) -> ResponseReturnValue:
    with work() as opened:
        found = topics.find(opened.session, slug) if slug else None
        try:
            saved = _save(opened.session, found)
        except InvalidInput as error:
            return _editor(Topic(slug=slug, **_values()), f"{error.message[:1].upper()}{error.message[1:]}."), 422
        flash(f"{saved.name} is saved.", "success")
    return redirect(url_for("pages.topics"))


def _save(session: Session, found: Topic | None) -> Topic:
    values = _values()
    if found is None:
        return topics.create(session, slug_of(str(values["name"])), str(values.pop("name")), **values)
    topics.change(found, **values)
    return found


def _values() -> dict[str, object]:
    position = request.form.get("position", "")
    given: dict[str, object] = {
        "name": _posted("name", LONGEST_NAME),
        "description": _posted("description", LONGEST_DESCRIPTION),
        "default_state": "subscribed" if request.form.get("subscribed") else "unsubscribed",
        "public": bool(request.form.get("public")),
        "double_opt_in": bool(request.form.get("double_opt_in")),
    }
    if position.isascii() and position.isdigit() and len(position) < 5:
        given["position"] = int(position)
    return given


def _posted(name: str, longest: int) -> str:
    return request.form.get(name, "").replace("\0", "").replace("\r\n", "\n").strip()[:longest]


def _editor(shown: Topic, refusal: str = "") -> str:
    return render_template("pages/topic.html", topic=shown, error=refusal)
