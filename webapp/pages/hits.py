"""Opens and clicks: raw and human figures, which rule took out how many, and judging them again."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.habits import outlook
from engine.habits.store import EVERYBODY
from engine.messages.limits import Limits
from engine.quiet import Hours
from engine.reports import hits
from engine.tracking import rejudging
from engine.tracking.classify import VERSION
from engine.workspace import Workspace
from webapp.auth.people import signed_in
from webapp.pages.reports import PERIODS, WHOLE
from webapp.pages.work import work

MOST_SOURCES = 50
USUAL = "30"


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/reports/hits", "report_hits", page)
    blueprint.add_url_rule("/reports/hits/rejudge", "report_hits_rejudge", again, methods=["POST"])


def page() -> ResponseReturnValue:
    """What came in a period, and what was made of it."""
    period = request.args.get("period", USUAL)
    period = period if period in PERIODS else USUAL
    with work() as opened:
        today = opened.now.date()
        since = None if period == WHOLE else today - dt.timedelta(days=int(period) - 1)
        context: dict[str, Any] = {
            "found": hits.report(opened.session, VERSION, since),
            "outlook": outlook.of(
                opened.session, EVERYBODY, opened.now, opened.workspace.zone, _quiet(opened.workspace)
            ),
            "progress": rejudging.progress(opened.session),
            "countries": opened.workspace.untracked_countries,
        }
    context |= {"period": period, "periods": PERIODS, "version": VERSION, "most": MOST_SOURCES}
    return render_template("pages/hits.html", **context)


def _quiet(known: Workspace) -> Hours | None:
    """The hours at which no email leaves."""
    return Limits.of(known).hours_of("email", None)


def again() -> ResponseReturnValue:
    """Ask for judging again: what older rules judged, or with `everything` all."""
    with work() as opened:
        everything = request.form.get("everything") == "yes"
        rejudging.ask(opened.session, signed_in().email, opened.now, everything=everything)
    flash("Stored opens and clicks are being judged again. Figures follow while it goes on.", "success")
    return redirect(url_for("pages.report_hits"))
