"""Limits on pressure: set on the settings page by administrators, and what they hold back."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from engine import workspace
from engine.contacts import topics, tracking
from engine.errors import InvalidInput
from engine.messages import limits
from engine.reports import pressure
from webapp.auth.people import signed_in
from webapp.errors import Forbidden
from webapp.pages.settings import settings
from webapp.pages.work import work

LONGEST, LONGEST_LIST = 40, 1_000


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/reports/limits", "report_limits", page)
    blueprint.add_url_rule("/settings/limits", "limits_save", save, methods=["POST"])


def page() -> ResponseReturnValue:
    """What waits because of limits, and what they dropped."""
    with work() as opened:
        found = pressure.report(opened.session, opened.now)
    return render_template("pages/pressure.html", found=found, workspace=opened.workspace)


def save() -> ResponseReturnValue:
    """All limits at once, or none of them if one cannot be read; fields that are not sent stay as they are."""
    if signed_in().role != "admin":
        raise Forbidden("Limits are set by administrators.")
    try:
        with work() as opened:
            _save(opened.session, signed_in().email, opened.now)
    except InvalidInput as error:
        return settings(refused=f"{error.message[:1].upper()}{error.message[1:]}. {error.hint or ''}"), 422
    flash("The limits are saved and hold for the next message.", "success")
    return redirect(url_for("pages.settings"))


def _save(session: Session, actor: str, now: dt.datetime) -> None:
    """Only what is different is set, so that the audit log tells what was changed."""
    known = workspace.load(session)
    slugs = [topic.slug for topic in topics.listed(session) if f"cap topic:{topic.slug}" in request.form]
    for of in ("all", *limits.CHANNELS, *(f"topic:{slug}" for slug in slugs)):
        before = known.caps.get(of, "")
        if (words := _posted(f"cap {of}", before)) != before:
            limits.set_cap(session, of, words, actor, now)
    for channel in limits.CHANNELS:
        before = known.quiet_hours.get(channel, "")
        if (words := _posted(f"quiet {channel}", before)) != before:
            limits.set_quiet(session, channel, words, actor, now)
    for slug in slugs:
        free = f"unlimited {slug}" in request.form
        if free != (slug in known.unlimited_topics):
            limits.set_unlimited(session, slug, free, actor, now)
    before = ", ".join(known.untracked_countries)
    if (words := _posted("untracked", before)) != before:
        tracking.set_countries(session, words, actor, now)


def _posted(name: str, else_: str) -> str:
    return request.form.get(name, else_).replace("\0", "").strip()[: LONGEST_LIST if name == "untracked" else LONGEST]
