"""The first page after sign-in."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from flask import Blueprint, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from engine.identities import store as identities
from engine.identities.house import house
from engine.messages import outages
from engine.receipts import signups, streams
from webapp.pages.queries import dashboard as queries
from webapp.pages.queries import journeys as journey_queries
from webapp.pages.work import work


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/", "dashboard", dashboard)
    blueprint.add_url_rule("/reports/revenue.json", "revenue_chart", revenue_chart)


def dashboard() -> ResponseReturnValue:
    """A few true figures, the journeys that run, and what needs attention."""
    with work() as opened:
        figures = queries.figures(opened.session, opened.now)
        journeys = journey_queries.overview(opened.session)
        own = current_app.extensions["cairn.settings"].smtp_url
        away = outages.listed(opened.session, own, identities.listed(opened.session, house()))
        paused = streams.listed(opened.session)
        bite = signups.bitten(opened.session, opened.now)
    notices = {"outages": away, "paused": paused, "signups": bite}
    return render_template("pages/dashboard.html", figures=figures, journeys=journeys, **notices)


def revenue_chart() -> ResponseReturnValue:
    """Attributed revenue and cost by week, for the charts island; `journey` narrows it to one."""
    with work() as opened:
        rows = queries.weekly_revenue(opened.session, request.args.get("journey", "").replace("\0", ""))
        currency = opened.workspace.currency
    weeks = sorted({row.week for row in rows})
    by_journey: dict[str, dict[object, Decimal]] = defaultdict(dict)
    cost: dict[object, Decimal] = defaultdict(Decimal)
    for row in rows:
        by_journey[row.slug][row.week] = row.revenue
        cost[row.week] += row.cost
    series: list[dict[str, object]] = [
        {"name": slug, "kind": "bar", "stack": "revenue", "values": [float(found.get(week, 0)) for week in weeks]}
        for slug, found in by_journey.items()
    ]
    series.append({"name": "Cost", "kind": "line", "stack": None, "values": [float(cost[week]) for week in weeks]})
    form = "%b %Y" if len({week.year for week in weeks}) > 1 else "%b"
    labels = [f"{week.day} {week:{form}}" for week in weeks]
    return jsonify(title="Attributed revenue by week", unit=currency, labels=labels, series=series if rows else [])
