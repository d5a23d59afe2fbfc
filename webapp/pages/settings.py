"""Settings to look at: the workspace, who signs in, API keys, the own password."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, render_template

from engine.channels import relays
from engine.contacts import topics
from engine.messages import status
from webapp.api.keys import SCOPES
from webapp.pages.queries import settings as queries
from webapp.pages.work import work


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/settings", "settings", settings)


def settings(made: str = "", refused: str = "") -> str:
    """The installation as it is set up; `made` is a key that was made just now, `refused` why limits were not saved."""
    own = current_app.extensions["cairn.settings"]
    with work() as opened:
        context: dict[str, Any] = {
            "workspace": opened.workspace,
            "people": queries.people(opened.session),
            "keys": queries.keys(opened.session),
            "webhooks": queries.webhooks(opened.session),
            "topics": [topic for topic in topics.listed(opened.session) if topic.archived_at is None],
            "refused": refused,
            "smtp": status.read(opened.session, "email"),
            "gateway": status.read(opened.session, "sms"),
            "relay": relays.current(opened.session, own.smtp_url),
        }
    context |= {"site": own.site_url, "made": made, "scopes": SCOPES}
    return render_template("pages/settings.html", **context)
