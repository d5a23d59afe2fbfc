"""Warm-ups: new senders and mail servers that send a little more each day."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import InvalidInput, NotFound
from engine.identities import store
from engine.identities.house import house
from engine.messages import outages, warmup_plans
from webapp.auth.people import signed_in
from webapp.errors import Forbidden
from webapp.pages.work import work

FIELDS = ("of", "domain", "first", "growth", "until")
LONGEST = 300


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/settings/senders/-/warm-up", "warm_up", warm_up, methods=["GET", "POST"])
    blueprint.add_url_rule("/settings/senders/-/warm-up/end", "warm_up_end", end, methods=["POST"])


def warm_up() -> ResponseReturnValue:
    """What is warmed up, where each stands today, and a form to begin."""
    if request.method == "POST":
        return _begin()
    form = {"of": request.args.get("of", ""), "first": warmup_plans.FIRST, "until": warmup_plans.UNTIL}
    return _page(form | {"growth": f"{warmup_plans.GROWTH:g}"})


def _page(form: dict[str, Any], refusal: str = "") -> str:
    own = current_app.extensions["cairn.settings"].smtp_url
    with work() as opened:
        context = {
            "standings": warmup_plans.listed(opened.session, opened.workspace.zone, opened.now),
            "waiting": warmup_plans.waiting(opened.session),
            "senders": store.slugs(opened.session),
            "relays": outages.names(own, store.listed(opened.session, house())),
            "zone": opened.workspace.timezone,
        }
    return render_template("pages/warm_up.html", form=form, refusal=refusal, **context)


def _begin() -> ResponseReturnValue:
    _only_administrators()
    form = {name: request.form.get(name, "").replace("\0", "").strip()[:LONGEST] for name in FIELDS}
    name = f"{form['of']}/{form['domain']}" if form["domain"] else form["of"]
    try:
        with work() as opened:
            today = opened.now.astimezone(opened.workspace.zone).date()
            words = f"{form['first']}, x{form['growth'].replace(',', '.')}, {form['until']}"
            plan = warmup_plans.put(opened.session, name, words, today)
    except (InvalidInput, NotFound) as error:
        return _page(form, str(error)), 422
    flash(f"{name} is warmed up for {plan.days()} days.", "success")
    return redirect(url_for("pages.warm_up"))


def end() -> ResponseReturnValue:
    """End one; what waited because of it is due now."""
    _only_administrators()
    name = request.form.get("name", "").replace("\0", "")[:LONGEST]
    with work() as opened:
        warmup_plans.remove(opened.session, name, opened.now)
    flash(f"The warm-up of {name} has ended; what waited for it leaves now.", "success")
    return redirect(url_for("pages.warm_up"))


def _only_administrators() -> None:
    if signed_in().role != "admin":
        raise Forbidden("Senders are set up by administrators.")
