"""Reports: what journeys earned and cost."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.reports import roi
from engine.reports.lift import Interval
from engine.reports.roi import JourneyRoi, RoiReport
from webapp.pages.intervals import scale_of
from webapp.pages.work import Work, work

PERIODS = {"30": "30 days", "90": "90 days", "365": "12 months", "all": "All time"}
WHOLE = "all"


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/reports", "reports", lambda: redirect(url_for("pages.roi")))
    blueprint.add_url_rule("/reports/roi", "roi", roi_page)
    blueprint.add_url_rule("/reports/roi.csv", "roi_csv", roi_csv)


def roi_page() -> ResponseReturnValue:
    """Revenue, cost and return by journey and step, with the lift over the held-out."""
    with work() as opened:
        report = _report(opened)
    scale = scale_of(interval for journey in report.journeys for interval in _intervals(journey))
    return render_template("pages/roi.html", report=report, scale=scale, period=_period(), periods=PERIODS)


def roi_csv() -> Response:
    """The same figures as a file."""
    with work() as opened:
        text = roi.as_csv(_report(opened))
    headers = {"Content-Disposition": 'attachment; filename="cairn-roi.csv"'}
    return Response(text, mimetype="text/csv", headers=headers)


def _period() -> str:
    chosen = request.args.get("period", WHOLE)
    return chosen if chosen in PERIODS else WHOLE


def _report(opened: Work) -> RoiReport:
    period = _period()
    if period == WHOLE:
        return roi.report(opened.session)
    today = opened.now.date()
    return roi.report(opened.session, today - dt.timedelta(days=int(period) - 1), today)


def _intervals(journey: JourneyRoi) -> list[Interval]:
    """Differences of rates that are worth drawing."""
    return [arm.lift.rate for arm in (journey.whole, *journey.arms) if arm.lift and arm.lift.enough]
