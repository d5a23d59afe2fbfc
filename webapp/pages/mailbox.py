"""The local mailbox and phone: every message that this installation sent to itself."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from engine.channels.phone import LocalPhone, write
from engine.errors import NotFound
from engine.model import LocalMessage
from engine.texts.incoming import LONGEST, Incoming, take
from webapp.pages.mail_parts import Parts, read_parts
from webapp.pages.paging import number_cursor
from webapp.pages.queries import AnyRow
from webapp.pages.queries import mailbox as queries
from webapp.pages.work import work

CHANNELS = ("email", "sms")
VIEWS = ("rendered", "text", "headers", "source")
BODY_POLICY = (
    "default-src 'none'; img-src * data:; style-src 'unsafe-inline'; font-src * data:; form-action 'none'; "
    "base-uri 'self'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/mailbox", "mailbox", listing)
    blueprint.add_url_rule("/mailbox/<public_id>", "mail", mail)
    blueprint.add_url_rule("/mailbox/<public_id>/body", "mail_body", body)
    blueprint.add_url_rule("/mailbox/<public_id>/reply", "mail_reply", reply, methods=["POST"])


def listing() -> ResponseReturnValue:
    """All messages, newest first."""
    channel = request.args.get("channel")
    channel = channel if channel in CHANNELS else None
    text = request.args.get("to", "").strip().replace("\0", "")[:200]
    with work() as opened:
        page = queries.listing(opened.session, channel, text, number_cursor(request.args.get("after")))
    return render_template("pages/mailbox.html", page=page, channel=channel, to=text)


def mail(public_id: str) -> ResponseReturnValue:
    """One message: rendered, as plain text, its headers, its source."""
    view = request.args.get("view", "")
    with work() as opened:
        found, parts = _read(opened.session, public_id)
        origin = _origin(opened.session, found)
        texts = queries.conversation(opened.session, found.recipient) if found.channel == "sms" else []
    if view not in VIEWS:
        view = "rendered" if parts.html else "text"
    template = "pages/phone.html" if found.channel == "sms" else "pages/mail.html"
    return render_template(template, mail=found, parts=parts, origin=origin, view=view, texts=texts)


def body(public_id: str) -> Response:
    """The HTML part alone."""
    with work() as opened:
        _, parts = _read(opened.session, public_id)
    return framed(parts.html or "")


def framed(page: str) -> Response:
    """Somebody's HTML for a sandboxed frame: no script runs, links open in a new window."""
    response = make_response(f'<base target="_blank">{page}')
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    response.headers["Content-Security-Policy"] = BODY_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def reply(public_id: str) -> ResponseReturnValue:
    """Text back as the one who got the SMS; what Cairn answers arrives on the same phone."""
    words = request.form.get("text", "").replace("\0", "").strip()[:LONGEST]
    with work() as opened:
        found, _ = _read(opened.session, public_id)
        if found.channel != "sms":
            raise NotFound("SMS", public_id, "Only texts can be answered here.")
        if words:
            texted = Incoming(uuid.uuid4().hex, found.recipient, found.sender, words)
            said = take(opened.session, LocalPhone.gateway, texted, opened.now)
            if said:
                write(opened.session, found.sender, found.recipient, said, opened.now)
    return redirect(url_for("pages.mail", public_id=public_id) + "#conversation")


def _origin(session: Session, found: LocalMessage) -> AnyRow | None:
    return queries.origin(session, found.message_token, found.recipient) if found.message_token else None


def _read(session: Session, public_id: str) -> tuple[LocalMessage, Parts]:
    found = queries.by_public_id(session, public_id)
    if found is None:
        raise NotFound("message", public_id, "The local mailbox may have been emptied.")
    return found, read_parts(found.channel, found.raw)
