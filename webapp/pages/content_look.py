"""How a content looks while it is written: with sample values or as a contact, light, dark or as plain text."""

from __future__ import annotations

import html
import re

from flask import Blueprint, Response, current_app, request
from markupsafe import escape

from engine.contacts.find import find as find_contact
from engine.errors import CairnError, NotFound
from engine.previews import draft as drafts
from engine.previews import look as looks
from engine.previews import message
from engine.previews.message import Person, Preview
from webapp.pages.content_draft import Draft, posted
from webapp.pages.mailbox import framed
from webapp.pages.work import Work, work

LONGEST = 200
HEAD = (
    '<div style="padding:12px 16px;border-bottom:1px solid #ddd;background:#fff;color:#111;font:15px sans-serif">'
    '<strong>{}</strong> <span style="color:#5b626d">{}</span></div>'
)
TEXT = '<pre style="white-space:pre-wrap;margin:16px;font:15px/1.5 sans-serif">{}</pre>'
NOTE = '<p style="margin:16px;font:15px sans-serif">{}</p>'
preheader = re.compile(r'<body\b[^>]*><div style="display:none;[^"]*">(.*?)(?:&#8199;|</div>)', re.DOTALL)


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/contents/-/look", "content_look", look, methods=["POST"])


def look() -> Response:
    """The message for a sandboxed frame, below what an inbox shows of it."""
    with work() as opened:
        try:
            draft = posted(opened.session)
            made = drafts.check(opened.session, draft.text, draft.channel, draft.base, draft.language)
        except CairnError:
            return framed(NOTE.format("There is nothing to see before the errors are corrected."))
        who, refusal = _who(opened)
        if refusal:
            return framed(NOTE.format(escape(refusal)))
        shown = drafts.render(opened.session, made, draft.channel, opened.workspace, _site(), opened.now, who)
    return framed(_page(draft, shown))


def _who(opened: Work) -> tuple[Person | None, str]:
    """The contact that is asked for, or why it is not them."""
    asked = request.form.get("as", "").replace("\0", "").strip()[:LONGEST]
    if not asked:
        return None, ""
    try:
        return message.contact(opened.session, find_contact(opened.session, asked).id), ""
    except NotFound:
        return None, f"No contact is called “{asked}”. Name an external id, an email address or a phone number."


def _page(draft: Draft, shown: Preview) -> str:
    if shown.error:
        return NOTE.format(escape(shown.error))
    if draft.channel == "sms":
        return TEXT.format(escape(shown.text))
    found = preheader.search(shown.html)
    head = HEAD.format(escape(shown.subject), escape(html.unescape(found[1]).strip() if found else ""))
    view = request.form.get("view")
    if view == "text":
        return head + TEXT.format(escape(shown.text))
    return head + (looks.dark(shown.html) if view == "dark" else shown.html)


def _site() -> str:
    site: str = current_app.extensions["cairn.settings"].site_url
    return site
