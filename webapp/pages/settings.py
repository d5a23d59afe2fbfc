"""Settings to look at: the workspace, who signs in, API keys, the own password."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from engine.messages import status
from webapp.pages.queries import settings as queries
from webapp.pages.work import work


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/settings", "settings", settings)


def settings() -> ResponseReturnValue:
    """The installation as it is set up."""
    with work() as opened:
        context = {
            "workspace": opened.workspace,
            "people": queries.people(opened.session),
            "keys": queries.keys(opened.session),
            "webhooks": queries.webhooks(opened.session),
            "smtp": status.read(opened.session, "email"),
        }
    return render_template("pages/settings.html", site=current_app.extensions["cairn.settings"].site_url, **context)
