"""Snippets: the pieces that contents have in common, how each looks, and which contents hold it."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from engine.content import snippets, taken
from engine.previews import look, piece
from webapp.pages.mailbox import framed
from webapp.pages.work import work

VIEWS = ("rendered", "text", "source")


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/snippets", "snippets", listing)
    blueprint.add_url_rule("/snippets/<slug>", "snippet", snippet)
    blueprint.add_url_rule("/snippets/<slug>/body", "snippet_body", body)


def listing() -> ResponseReturnValue:
    """All snippets by name."""
    with work() as opened:
        rows = taken.listing(opened.session)
        held = taken.counts(opened.session)
    return render_template("pages/snippets.html", snippets=rows, held=held)


def snippet(slug: str) -> ResponseReturnValue:
    """One snippet with sample values, its parameters, and the contents that hold it."""
    language, view = _language(), request.args.get("view", "")
    with work() as opened:
        listed, found = taken.find(opened.session, slug)
        source = taken.file(listed, found, language)
        site = current_app.extensions["cairn.settings"].site_url
        shown = piece.preview(opened.session, listed, found, language, opened.workspace, site, opened.now)
        users = taken.users(opened.session, listed.slug)
    own = snippets.read(found.texts[""])
    if view not in VIEWS:
        view = "rendered" if found.kind == "email" else "text"
    return render_template(
        "pages/snippet.html",
        snippet=listed,
        own=own,
        source=source,
        preview=shown,
        language=language,
        view=view,
        dark="1" if request.args.get("dark") == "1" else None,
        users=users,
    )


def body(slug: str) -> Response:
    """Its HTML alone, for a sandboxed frame; `dark=1` shows it as programs in dark mode do."""
    with work() as opened:
        listed, found = taken.find(opened.session, slug)
        site = current_app.extensions["cairn.settings"].site_url
        shown = piece.preview(opened.session, listed, found, _language(), opened.workspace, site, opened.now)
    return framed(look.dark(shown.html) if request.args.get("dark") == "1" else shown.html)


def _language() -> str:
    return request.args.get("language", "").replace("\0", "")
