"""Sending identities: who mail comes from, what to publish in DNS, and what DNS says."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.channels.addresses import accounts, addresses, name_of
from engine.channels.mail_api.account import Account, unchecked
from engine.errors import InvalidInput
from engine.identities import checks, keys, store
from engine.identities.dns import Dns
from engine.identities.house import house
from engine.identities.records import needed
from engine.identities.store import Form
from engine.identities.values import OWN, Identity
from engine.messages import status, warmup_plans
from engine.messages.ways import status_of
from engine.receipts.verp import return_path
from engine.signing import signer
from webapp.auth.people import signed_in
from webapp.errors import Forbidden
from webapp.pages.work import Work, work
from webapp.public.mail_receipts import door_url

LONGEST = 2000
FIELDS = ("slug", "name", "address", "reply_to", "return_path", "tracking_domain", "postal_address")


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen; no slug begins with a dash, so `-` is free for the others."""
    blueprint.add_url_rule("/settings/senders", "senders", listing)
    blueprint.add_url_rule("/settings/senders/-/new", "sender_new", new, methods=["GET", "POST"])
    blueprint.add_url_rule("/settings/senders/<slug>", "sender", sender, methods=["GET", "POST"])
    blueprint.add_url_rule("/settings/senders/<slug>/default", "sender_default", default, methods=["POST"])
    blueprint.add_url_rule("/settings/senders/<slug>/keys", "sender_keys", new_keys, methods=["POST"])
    blueprint.add_url_rule("/settings/senders/<slug>/remove", "sender_remove", remove, methods=["POST"])


def listing() -> str:
    """All senders, with where their warm-ups stand."""
    with work() as opened:
        context = {
            "senders": store.listed(opened.session, house()),
            "default": opened.workspace.identity or OWN,
            "warming": warmup_plans.by_name(warmup_plans.listed(opened.session, opened.workspace.zone, opened.now)),
        }
        return render_template("pages/senders.html", **context)


def new() -> ResponseReturnValue:
    """Make one."""
    if request.method == "POST":
        return _save("")
    _only_administrators()
    return render_template("pages/sender.html", found=None, form={}, refusal="")


def sender(slug: str) -> ResponseReturnValue:
    """One sender; with `?check=1` DNS is asked, which takes up to five seconds and changes nothing."""
    if request.method == "POST":
        return _save(slug)
    with work() as opened:
        found = store.find(opened.session, slug, house())
        context = _told(opened, found)
    context["checks"] = _checks(found) if request.args.get("check") else []
    form = {name: getattr(found, name) for name in FIELDS} | {"unverified": found.unverified}
    return render_template("pages/sender.html", found=found, form=form, refusal="", **context)


def _told(opened: Work, found: Identity) -> dict[str, Any]:
    own = current_app.extensions["cairn.settings"]
    standings = warmup_plans.by_name(warmup_plans.listed(opened.session, opened.workspace.zone, opened.now))
    return {
        "relays": list(map(name_of, addresses(found.relays))) if found.relays else [],
        "webhooks": [
            (door_url(own.site_url, signer(), each.kind, found.slug), unchecked(each)) for each in _accounts(found)
        ],
        "status": status.read(opened.session, status_of(found.relays)) if found.relays else None,
        "records": list(needed(found, return_path(own.bounce_domain), own.site_url)),
        "warming": standings.get(found.slug, []),
        "is_default": found.slug == (opened.workspace.identity or OWN),
        "kinds": checks.KINDS,
    }


def _accounts(found: Identity) -> tuple[Account, ...]:
    """Its own with vendors; only administrators see where these report to."""
    return accounts(found.relays) if signed_in().role == "admin" else ()


def _checks(found: Identity) -> list[checks.Check]:
    own = current_app.extensions["cairn.settings"]
    return checks.check(found, Dns(own.dns_server), return_path(own.bounce_domain), own.site_url, own.smtp_url or "")


def _save(slug: str) -> ResponseReturnValue:
    """Write what was filled in. An empty field for relays leaves them; so does the box for keys that is not ticked."""
    _only_administrators()
    form = {name: _posted(name) for name in FIELDS} | {"unverified": "unverified" in request.form}
    form["slug"] = slug or form["slug"]
    relays = "" if "no_relays" in request.form else _posted("relays") or None
    try:
        with work() as opened:
            if not slug and form["slug"] in store.slugs(opened.session):
                raise InvalidInput("exists already", "slug", "Choose another name.")
            made = Form(**form, relays=relays, selector=_posted("selector") or None)  # type: ignore[arg-type]
            store.put(opened.session, made, house(), signed_in().email, opened.now)
    except InvalidInput as error:
        return _again(slug, form, str(error)), 422
    flash("The sender is saved. Publish its records, then check it.", "success")
    return redirect(url_for("pages.sender", slug=form["slug"]))


def _again(slug: str, form: dict[str, Any], refusal: str) -> str:
    with work() as opened:
        found = store.find(opened.session, slug, house()) if slug else None
        context = _told(opened, found) if found else {}
    return render_template("pages/sender.html", found=found, form=form, refusal=refusal, checks=[], **context)


def default(slug: str) -> ResponseReturnValue:
    """What names no sender is from this one."""
    _only_administrators()
    with work() as opened:
        store.make_default(opened.session, slug)
    flash("What names no sender is from this one now.", "success")
    return redirect(url_for("pages.senders"))


def new_keys(slug: str) -> ResponseReturnValue:
    """Switch to the keys that wait, once their records are seen in DNS or somebody takes it upon them; or drop them."""
    _only_administrators()
    back = redirect(url_for("pages.sender", slug=slug))
    with work() as opened:
        waiting = store.find(opened.session, slug, house()).next
    dropped = _posted("what") == "drop"
    if waiting is not None and not dropped and "unchecked" not in request.form:
        told = checks.check_keys(waiting, Dns(current_app.extensions["cairn.settings"].dns_server))
        if told.state != "verified":
            flash(f"Not switched. {told.message} {told.hint}", "error")
            return back
    with work() as opened:
        (keys.drop if dropped else keys.switch)(opened.session, slug, signed_in().email, opened.now)
    said = "The new keys are forgotten." if dropped else "Mail is signed with the new keys now."
    flash(said if dropped else f"{said} Leave the records of the old ones in DNS for a week.", "success")
    return back


def remove(slug: str) -> ResponseReturnValue:
    """Forget it and its keys, unless something asks for it."""
    _only_administrators()
    try:
        with work() as opened:
            store.remove(opened.session, slug, signed_in().email, opened.now)
    except InvalidInput as error:
        flash(f"It is not removed: {error}", "error")
        return redirect(url_for("pages.sender", slug=slug))
    flash("The sender is removed.", "success")
    return redirect(url_for("pages.senders"))


def _posted(name: str) -> str:
    return request.form.get(name, "").replace("\0", "").strip()[:LONGEST]


def _only_administrators() -> None:
    if signed_in().role != "admin":
        raise Forbidden("Senders are set up by administrators.")
