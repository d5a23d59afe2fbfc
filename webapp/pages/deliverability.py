"""Deliverability: what came back, streams that wait, addresses that are left alone."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.campaigns import resuming
from engine.contacts import suppressions
from engine.messages import status
from engine.receipts import breaker, streams
from engine.signing import signer
from webapp.auth.people import signed_in
from webapp.errors import Forbidden
from webapp.pages.queries import deliverability as queries
from webapp.pages.work import work

LONGEST = 320


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/deliverability", "deliverability", deliverability)
    blueprint.add_url_rule("/deliverability/resume", "deliverability_resume", resume, methods=["POST"])
    blueprint.add_url_rule("/deliverability/suppressions", "deliverability_allow", allow, methods=["POST"])


def deliverability() -> ResponseReturnValue:
    """What came back in the last 30 days; `address` asks whether one is suppressed."""
    address = request.args.get("address", "").replace("\0", "").strip()[:LONGEST]
    with work() as opened:
        context = {
            "found": queries.read(opened.session, opened.now, breaker.WARN, breaker.ENOUGH),
            "paused": streams.listed(opened.session),
            "counts": suppressions.counts(opened.session),
            "address": address,
            "suppressed": suppressions.find(opened.session, address, signer()) if address else [],
            "mailbox": status.read(opened.session, "bounces"),
            "trip": breaker.TRIP,
        }
    return render_template("pages/deliverability.html", **context)


def resume() -> ResponseReturnValue:
    """Let a stream go on."""
    stream = request.form.get("stream", "").replace("\0", "")
    with work() as opened:
        resuming.resume(opened.session, stream, signed_in().email, opened.now)
    flash(f"Resumed: {streams.described(stream)}. What waited goes on; campaigns keep their pace.", "success")
    return redirect(url_for("pages.deliverability"))


def allow() -> ResponseReturnValue:
    """Take a suppression away; administrators only, with a reason."""
    if signed_in().role != "admin":
        raise Forbidden("Only administrators allow a suppressed address again.")
    address, channel, why = (request.form.get(name, "").replace("\0", "") for name in ("address", "channel", "reason"))
    with work() as opened:
        suppressions.remove(opened.session, channel, address, signed_in().email, why, opened.now, signer())
    flash(f"{address} may be written to again.", "success")
    return redirect(url_for("pages.deliverability", address=address))
