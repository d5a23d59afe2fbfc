"""Campaigns side by side, by day, and as tests in colleagues' mailboxes."""

from __future__ import annotations

import calendar as months
import datetime as dt
from collections import defaultdict
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.campaigns import report as reports
from engine.campaigns import schedule, store
from engine.campaigns.comparing import Beside, beside
from engine.channels.allowed import parse
from engine.errors import CairnError
from engine.model import Campaign
from engine.previews import handing, message
from engine.settings import Settings
from engine.signing import signer
from webapp.auth.people import signed_in
from webapp.pages.contents import send, tell
from webapp.pages.work import Work, work

MOST = 6


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/campaigns/-/calendar", "campaign_calendar", calendar)
    blueprint.add_url_rule("/campaigns/-/compare", "campaign_compare", compare)
    blueprint.add_url_rule("/campaigns/<slug>/test", "campaign_test", test, methods=["POST"])


def calendar() -> ResponseReturnValue:
    """A month of campaigns, each on the day of its start by the workspace's clock."""
    with work() as opened:
        zone = opened.workspace.zone
        first = _month(request.args.get("month", ""), opened.now.astimezone(zone).date())
        by_day: dict[dt.date, list[tuple[dt.datetime, Campaign]]] = defaultdict(list)
        for found in store.listing(opened.session):
            if at := _start(found, opened):
                by_day[at.astimezone(zone).date()].append((at, found))
        today = opened.now.astimezone(zone).date()
    weeks = months.Calendar().monthdatescalendar(first.year, first.month)
    around = {"before": first - dt.timedelta(days=1), "after": first + dt.timedelta(days=31)}
    return render_template(
        "pages/campaign_calendar.html", first=first, weeks=weeks, by_day=by_day, today=today, **around
    )


def _month(asked: str, today: dt.date) -> dt.date:
    """The first of a month written 2026-12; of this one, if it is not written so or is out of bounds."""
    try:
        found = dt.date.fromisoformat(f"{asked}-01")
    except ValueError:
        found = today.replace(day=1)
    return found if 1990 < found.year < 2200 else today.replace(day=1)


def _start(found: Campaign, opened: Work) -> dt.datetime | None:
    """When it started or is to start; of a draft, when it says."""
    definition = store.definition_of(found)
    if definition.local and definition.at:
        return definition.at.replace(tzinfo=opened.workspace.zone)
    return found.origin_at or found.start_at or schedule.start_of(definition, opened.workspace.zone)


def compare() -> ResponseReturnValue:
    """The figures of some campaigns side by side, and how far the first and each other are apart."""
    slugs = list(dict.fromkeys(request.args.getlist("campaign")))[:MOST]
    with work() as opened:
        found = [_beside(opened, slug) for slug in slugs]
        known = store.listing(opened.session)
    first = found[0] if found else None
    against = {one.campaign.slug: one.against(first) for one in found[1:]} if first else {}
    return render_template("pages/campaign_compare.html", found=found, against=against, known=known, slugs=slugs)


def _beside(opened: Work, slug: str) -> Beside:
    campaign = store.find(opened.session, slug)
    return beside(campaign, reports.report(opened.session, campaign))


def test(slug: str) -> ResponseReturnValue:
    """Send each variant, in each of its languages, to colleagues, marked as a test."""
    to = request.form.get("to", "").replace("\0", "").replace(";", ",").split(",")
    try:
        with work() as opened:
            letters = [
                letter
                for content in _contents(opened, slug)
                for letter in handing.prepare(
                    opened.session,
                    content,
                    message.nobody(content),
                    to,
                    opened.workspace,
                    _settings().site_url,
                    signed_in().email,
                    opened.now,
                    signer(),
                    allowed=parse(_settings().allowed_recipients),
                )
            ]
        tell(send(letters))
    except CairnError as error:
        flash(str(error), "warning")
    return redirect(url_for("pages.campaign_check", slug=slug))


def _contents(opened: Work, slug: str) -> list[message.Content]:
    """Each variant's content in each of its languages."""
    definition = store.definition_of(store.find(opened.session, slug))
    firsts = [message.find(opened.session, one.content) for one in definition.variants]
    return [
        message.find(opened.session, one.slug, language)
        for one in {first.slug: first for first in firsts}.values()
        for language in one.languages or ("",)
    ]


def _settings() -> Settings:
    found: Any = current_app.extensions["cairn.settings"]
    return found  # type: ignore[no-any-return]
