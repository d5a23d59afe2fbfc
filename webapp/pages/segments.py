"""Segments: the list, and one rule with what it says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from engine import segments
from engine.contacts import list_members
from engine.errors import LanguageError, NotFound
from engine.model import Segment
from webapp.pages.queries import bulk
from webapp.pages.queries import segments as queries
from webapp.pages.rule_check import RuleCheck, check_rule, refused
from webapp.pages.work import work

LONGEST_NAME = 120
NO_DEEDS: Mapping[str, object] = MappingProxyType({"lists": (), "journeys": ()})
EXAMPLES = (
    'purchased at least 2 times in the last 30 days and plan is "pro"',
    'did "Order Completed" where total >= 50 in the last 7 days',
    'never did "Trial Started"',
    "last_seen_at more than 14 days ago",
    'opened at least 3 times in the last 30 days and country in ["US", "CA"]',
    'sum of total over "Order Completed" in the last 90 days > 500',
)


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen; no slug begins with a dash, so `-` is free for the others."""
    blueprint.add_url_rule("/segments", "segments", listing)
    blueprint.add_url_rule("/segments/-/new", "segment_new", new, methods=["GET", "POST"])
    blueprint.add_url_rule("/segments/-/check", "segment_check", check, methods=["POST"])
    blueprint.add_url_rule("/segments/<slug>", "segment", segment, methods=["GET", "POST"])


def listing() -> ResponseReturnValue:
    """All segments."""
    with work() as opened:
        rows = queries.listing(opened.session)
    return render_template("pages/segments.html", segments=rows)


def new() -> ResponseReturnValue:
    """Write a rule and name it."""
    if request.method == "POST":
        return _submitted(None)
    return _editor(None, "", "", None)


def segment(slug: str) -> ResponseReturnValue:
    """One segment's rule; saving asks for a full refresh."""
    if request.method == "POST":
        return _submitted(slug)
    with work() as opened:
        found = _find(opened.session, slug)
        checked = check_rule(opened, found.rule)
        deeds = {"lists": list_members.listed(opened.session), "journeys": bulk.journeys(opened.session)}
    return _editor(found, found.name, found.rule, checked, deeds=deeds)


def check() -> ResponseReturnValue:
    """What the rule says that is being written, for htmx."""
    with work() as opened:
        checked = check_rule(opened, _posted_rule())
    return render_template("pages/parts/rule_check.html", check=checked)


def _posted_rule() -> str:
    return request.form.get("rule", "").replace("\r\n", "\n").replace("\0", "")


def _submitted(slug: str | None) -> ResponseReturnValue:
    name, rule = request.form.get("name", "").replace("\0", "").strip()[:LONGEST_NAME], _posted_rule()
    with work() as opened:
        found = _find(opened.session, slug) if slug else None
        checked = check_rule(opened, rule)
        refusal = _refusal(opened.session, found, name)
        if refusal or checked is None or checked.refused:
            return _editor(found, name, rule, checked, refusal)
        try:
            saved = segments.save(opened.session, found.slug if found else slug_of(name), rule, name)
        except LanguageError as error:
            return _editor(found, name, rule, refused(error))
        flash("Segment saved. Its members are being worked out.", "success")
        return redirect(url_for("pages.segment", slug=saved.slug))


def _refusal(session: Session, found: Segment | None, name: str) -> str:
    if not slug_of(name):
        return "A name needs at least one letter or digit."
    if found is None and queries.by_slug(session, slug_of(name)):
        return f"There is already a segment that rules call “{slug_of(name)}”. Choose another name."
    return ""


def _editor(
    found: Segment | None,
    name: str,
    rule: str,
    checked: RuleCheck | None,
    refusal: str = "",
    deeds: Mapping[str, object] = NO_DEEDS,
) -> ResponseReturnValue:
    context = {"segment": found, "name": name, "rule": rule, "check": checked, "name_error": refusal}
    status = 422 if refusal or (checked and checked.refused) else 200
    return render_template("pages/segment.html", examples=EXAMPLES, **context, **deeds), status


def _find(session: Session, slug: str) -> Segment:
    found = queries.by_slug(session, slug)
    if found is None:
        raise NotFound("segment", slug)
    return found


def slug_of(name: str) -> str:
    """“Großkunden EU” -> `grosskunden-eu`: what rules call the segment."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64]
