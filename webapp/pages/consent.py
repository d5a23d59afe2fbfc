"""Consent at a glance: topics, addresses that are left alone, how long data is kept, what people asked of theirs."""

from __future__ import annotations

import dataclasses
import datetime as dt

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine import retention
from engine.contacts import suppressions, topics
from engine.contacts.consent import change_of, record_consent, welcome_back
from engine.contacts.sharing import others_leaving
from engine.errors import InvalidInput, NotFound
from engine.signing import signer
from engine.tracking import leaving
from journeys import erasing
from webapp.auth.people import signed_in
from webapp.errors import Forbidden
from webapp.pages.queries import consent as queries
from webapp.pages.queries import contacts as queries_of_contacts
from webapp.pages.queries.contacts import display_name
from webapp.pages.work import work

LONGEST = 320
SINCE = dt.timedelta(days=90)


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/consent", "consent", consent)
    blueprint.add_url_rule("/consent/suppressions", "consent_suppress", suppress, methods=["POST"])
    blueprint.add_url_rule("/consent/retention", "consent_retention", keep, methods=["POST"])
    blueprint.add_url_rule("/contacts/<public_id>/consent", "contact_consent", write_down, methods=["POST"])


def consent(refused: dict[str, str] | None = None) -> str:
    """The page; `person` asks whose data is meant. `refused` says by panel what was not done, and why."""
    person = request.args.get("person", "").replace("\0", "").strip()[:LONGEST]
    with work() as opened:
        session = opened.session
        context = {
            "topics": topics.listed(session),
            "people": queries.topic_counts(session),
            "counts": suppressions.counts(session),
            "suppressed": queries.latest_suppressed(session),
            "said": leaving.read(session, opened.now - SINCE),
            "reasons": leaving.REASONS,
            "kinds": retention.KINDS,
            "kept": retention.settings(session),
            "over": retention.due(session, opened.now),
            "requests": queries.data_requests(session),
            "person": person,
            "found": queries.people(session, erasing.named(session, [person])) if person else (),
        }
    administers = signed_in().role == "admin"
    return render_template(
        "pages/consent.html", refused=refused or {}, administers=administers, name=display_name, **context
    )


def suppress() -> ResponseReturnValue:
    """Leave an address alone; administrators only, with a reason."""
    _only_administrators("Only administrators suppress addresses.")
    address, channel, why = (_posted(name) for name in ("address", "channel", "why"))
    try:
        if not why:
            raise InvalidInput("say why; it is kept with your name")
        with work() as opened:
            rows = [(suppressions.key_of(channel, address, signer()), "manual")]
            added = suppressions.add(opened.session, channel, rows, signed_in().email, opened.now, why)
    except InvalidInput as error:
        return consent({"suppress": f"“{address}” {error.message}. {error.hint}" if why else f"{error.message}."}), 422
    flash(f"{address} gets nothing any more." if added else f"{address} was suppressed before.", "success")
    return redirect(url_for("pages.consent"))


def keep() -> ResponseReturnValue:
    """Keep a kind of data for some days, or for ever; administrators only."""
    _only_administrators("Only administrators say how long data is kept.")
    kind, days = _posted("kind"), _posted("days")
    try:
        if days and not (days.isascii() and days.isdigit() and len(days) < 7):
            raise InvalidInput(f"“{days[:20]}” is no number of days", hint="Leave it empty to keep it for ever.")
        with work() as opened:
            retention.put(opened.session, kind, int(days) if days else None, signed_in().email, opened.now)
    except InvalidInput as error:
        return consent({"retention": f"{error.message[:1].upper()}{error.message[1:]}. {error.hint}"}), 422
    flash("Saved. What is over goes by itself within half an hour.", "success")
    return redirect(url_for("pages.consent") + "#retention")


def write_down(public_id: str) -> ResponseReturnValue:
    """What a contact told a colleague; who leaves, leaves for every record with the address."""
    channel, topic, action, how = (_posted(name) for name in ("channel", "topic", "action", "how"))
    if not how:
        raise InvalidInput("is empty", where="how", hint="Say how and when they told you: it is the proof.")
    with work() as opened:
        found = queries_of_contacts.by_public_id(opened.session, public_id)
        if found is None:
            raise NotFound("contact", public_id)
        if topic:
            topics.find(opened.session, topic)
        basis = "consent" if action == "subscribed" else None
        change = change_of(int(found.id), channel, action, "person", topic, basis=basis)
        change = dataclasses.replace(change, proof={"told": how, "written_down_by": signed_in().email})
        address = {"email": found.email, "sms": found.phone}.get(channel)
        record_consent(opened.session, [change, *others_leaving(opened.session, [(change, address)])], opened.now)
        welcome_back(opened.session, [change], signer())
    flash("Written down, and in force from now on.", "success")
    return redirect(url_for("pages.contact", public_id=public_id))


def _posted(name: str) -> str:
    return request.form.get(name, "").replace("\0", "").strip()[:LONGEST]


def _only_administrators(refusal: str) -> None:
    if signed_in().role != "admin":
        raise Forbidden(refusal)
