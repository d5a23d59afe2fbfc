"""Sign-up forms: the list, and one form with what it asks for."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.contacts import topics
from engine.errors import CairnError, InvalidInput, NotFound
from engine.model import Form
from engine.receipts import signups
from engine.tracking import form_fields, forms
from engine.tracking.form_fields import Field
from engine.translation import NAMES
from webapp.pages.mailbox import framed
from webapp.pages.segments import slug_of
from webapp.pages.work import work
from webapp.public import showing

LONGEST_LINE, LONGEST_TEXT, LONGEST_ADDRESS = 120, 500, 2000


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen; no slug begins with a dash, so `-` is free for the others."""
    blueprint.add_url_rule("/forms", "forms", listing)
    blueprint.add_url_rule("/forms/-/new", "form_new", new, methods=["GET", "POST"])
    blueprint.add_url_rule("/forms/-/look", "form_look", look, methods=["POST"])
    blueprint.add_url_rule("/forms/<slug>", "form", form, methods=["GET", "POST"])
    blueprint.add_url_rule("/forms/<slug>/archive", "form_archive", archive, methods=["POST"])


def listing() -> ResponseReturnValue:
    """All forms."""
    with work() as opened:
        bite = signups.bitten(opened.session, opened.now)
        return render_template("pages/forms.html", forms=forms.listed(opened.session), site=_site(), signups=bite)


def new() -> ResponseReturnValue:
    """Say what a form asks for."""
    if request.method == "POST":
        return _submitted(None)
    with work() as opened:
        empty = Form(title="", fields=[], topics=[], lists=[], origins=[], channel="email", double_opt_in=True)
        return _editor(opened.session, empty)


def form(slug: str) -> ResponseReturnValue:
    """One form; its slug stays, as its address is known."""
    if request.method == "POST":
        return _submitted(slug)
    with work() as opened:
        return _editor(opened.session, _find(opened.session, slug))


def look() -> ResponseReturnValue:
    """How the form looks that is being written, for a sandboxed frame; nothing of it is kept."""
    typed = _typed(None)
    typed.slug, typed.title = "look", typed.title or "Title"
    with work() as opened:
        try:
            forms.check(opened.session, typed, _fields())
            shown = showing.asked(opened.session, typed, _language(), None, {}).body.decode()
        except CairnError as error:
            shown = f"<p>{escape(str(error))}</p>"
    return framed(shown)


def archive(slug: str) -> ResponseReturnValue:
    """Take a form off the web, or bring it back."""
    with work() as opened:
        found = _find(opened.session, slug)
        found.archived_at = None if found.archived_at else opened.now
        flash(f"{found.title} is {'off the web' if found.archived_at else 'back'}.", "success")
    return redirect(url_for("pages.forms"))


def _find(session: Session, slug: str) -> Form:
    found = session.get(Form, slug)
    if found is None:
        raise NotFound("form", slug)
    return found


def _submitted(slug: str | None) -> ResponseReturnValue:
    with work() as opened:
        found = _find(opened.session, slug) if slug else None
        typed = _typed(found)
        try:
            with opened.session.begin_nested():
                _save(opened.session, typed, found, _fields())
        except CairnError as error:
            return _editor(opened.session, typed, str(error)), 422
        flash(f"{typed.title} is saved.", "success")
        return redirect(url_for("pages.form", slug=typed.slug))


def _save(session: Session, typed: Form, found: Form | None, fields: Sequence[Field]) -> None:
    if found is None and session.get(Form, typed.slug) is not None:
        raise InvalidInput("there is such a form already", typed.slug, "Choose another title.")
    forms.save(session, session.merge(typed), fields)


def _typed(found: Form | None) -> Form:
    title = _posted("title", LONGEST_LINE)
    return Form(
        slug=found.slug if found else slug_of(title),
        title=title,
        intro=_posted("intro", LONGEST_TEXT),
        thanks=_posted("thanks", LONGEST_TEXT),
        fields=[],
        topics=request.form.getlist("topics"),
        lists=_lines("lists"),
        origins=_lines("origins"),
        wording=_posted("wording", LONGEST_LINE) or None,
        channel=_posted("channel", LONGEST_LINE) or "email",
        choose_topics=bool(request.form.get("choose_topics")),
        redirect=_posted("redirect", LONGEST_ADDRESS),
        double_opt_in=bool(request.form.get("double_opt_in")),
        archived_at=found.archived_at if found else None,
    )


def _fields() -> list[Field]:
    return [form_fields.parse(line) for line in _lines("fields")]


def _language() -> str:
    asked = request.values.get("language", "")
    return asked if asked in NAMES else "en"


def _lines(name: str) -> list[str]:
    return [line.strip() for line in _posted(name, 4000).splitlines() if line.strip()]


def _posted(name: str, longest: int) -> str:
    return request.form.get(name, "").replace("\0", "").strip()[:longest]


def _site() -> str:
    return str(current_app.extensions["cairn.settings"].site_url)


def _editor(session: Session, shown: Form, refusal: str = "") -> str:
    known = bool(shown.slug and session.scalar(select(Form.slug).where(Form.slug == shown.slug)))
    lines = _lines("fields") if refusal else [form_fields.line(field) for field in forms.fields_of(shown)]
    return render_template(
        "pages/form.html",
        form=shown,
        error=refusal,
        topics=[topic for topic in topics.listed(session) if topic.archived_at is None],
        wordings=sorted({one.slug for one in topics.wordings(session)}),
        lines=lines,
        languages=NAMES,
        language=_language(),
        snippet=showing.embedded(session, shown, _site(), _language()) if known and not refusal else "",
        site=_site(),
        known=known,
    )
