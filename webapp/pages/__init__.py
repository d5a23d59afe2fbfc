"""Pages for marketers: one module per screen, all behind the sign-in."""

from __future__ import annotations

from flask import Blueprint, Flask, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.auth.people import signed_in
from webapp.errors import Forbidden
from webapp.pages import (
    api_keys,
    assets,
    bulk,
    campaign_views,
    campaigns,
    consent,
    contacts,
    content_look,
    content_text,
    content_versions,
    contents,
    dashboard,
    deliverability,
    feeds,
    formats,
    forms,
    hits,
    journeys,
    library,
    limits,
    lists,
    mailbox,
    publishing,
    reports,
    segments,
    senders,
    settings,
    snippet_text,
    snippets,
    states,
    topics,
    warm_up,
)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SCREENS = (
    *(dashboard, contacts, segments, journeys, campaigns, publishing, states, library, reports, hits, deliverability),
    *(campaign_views, mailbox, settings, api_keys, limits, senders, warm_up, consent, topics, forms, lists, bulk),
    *(contents, content_text, content_look, content_versions, snippets, snippet_text, feeds),
)


def init_app(app: Flask) -> None:
    """Register all screens."""
    blueprint = Blueprint("pages", __name__)
    blueprint.before_request(check_person)
    for screen in SCREENS:
        screen.routes(blueprint)
    formats.init_app(app)
    assets.init_app(app)
    app.register_blueprint(blueprint)


def check_person() -> ResponseReturnValue | None:
    """Nobody sees a page unsigned; viewers change nothing."""
    if not current_user.is_authenticated:
        return to_sign_in()
    if request.method not in SAFE_METHODS and not signed_in().may_edit:
        raise Forbidden("You can look at everything here, but not change it.")
    return None


def to_sign_in() -> ResponseReturnValue:
    """To the sign-in page and back afterwards; htmx is told to move the whole page."""
    if request.headers.get("HX-Request"):
        return "", 401, {"HX-Redirect": url_for("auth.sign_in")}
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.sign_in", next=wanted))
