"""A sign-up form as people see it: the page with its questions, the page of thanks, and HTML for pages elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.model import Form, Topic
from engine.tracking import forms
from engine.tracking.form_fields import Refused
from engine.translation import Translate, translator
from webapp.native import Answer, Headers
from webapp.public import page

TYPES = {"number": "text", "date": "date", "choice": "select", "box": "checkbox", "hidden": "hidden"}
COMPLETES = {"first_name": "given-name", "last_name": "family-name", "name": "name", "company": "organization"}


def asked(
    session: Session, form: Form, spoken: str, refusal: Refused | None, sent: Mapping[str, Sequence[str]]
) -> Answer:
    """The page of the form; after a refusal with what was typed, before only with values for its hidden fields."""
    return page.render(
        "form", spoken,
        referrer="same-origin",  # without it browsers hide the origin of what the page sends
        guard=_guard(form), sender=page.sender(session), done="", refusal=refusal, again=refusal is not None,
        opened=int(time.time() * 1000), sent={name: values[0] for name, values in sent.items()},
        ticked=sent.get("topics", ()) if refusal else (), **_questions(session, form),
    )  # fmt: skip


def thanked(session: Session, form: Form, spoken: str, double: bool) -> Answer:
    """The page afterwards. It says the same to everybody, whatever is known of the address."""
    said = next_step(form, double, translator(spoken))
    return page.render(
        "form", spoken, guard=_guard(form), form=form, sender=page.sender(session), done="yes", next_step=said
    )


def next_step(form: Form, double: bool, t: Translate) -> str:
    """What people have to do now."""
    if not double:
        return t("If you had unsubscribed before, please confirm by the message that we have sent you.")
    if form.channel == "sms":
        return t("We have sent you a text. Please answer it with YES, or open its link.")
    if form.channel == "both":
        return t("Please confirm by the email, and by the text, that we have sent you.")
    return t("We have sent you an email. Please confirm your subscription there.")


def embedded(session: Session, form: Form, site: str, spoken: str) -> str:
    """HTML for a page elsewhere: a form that works without script, and a script that keeps people on their page."""
    return page.fill(
        "system/embed.html", t=translator(spoken), address=f"{site}/f/{form.slug}", script=f"{site}/f/-/form.js",
        **_questions(session, form),
    )  # fmt: skip


def _questions(session: Session, form: Form) -> dict[str, object]:
    return {
        "form": form,
        "fields": forms.fields_of(form),
        "types": TYPES,
        "completes": COMPLETES,
        "choices": _choices(session, form),
        "wording": forms.wording_of(session, form),
    }


def _choices(session: Session, form: Form) -> Sequence[Topic]:
    """The topics among which people choose."""
    if not form.choose_topics:
        return ()
    query = select(Topic).where(Topic.slug.in_(form.topics), Topic.archived_at.is_(None))
    return session.scalars(query.order_by(Topic.position, Topic.name)).all()


def _guard(form: Form) -> Headers:
    """Sites that may embed the form may frame its page too; browsers hold what follows a form to `form-action`."""
    after = urlsplit(form.redirect)
    may_follow = f"form-action 'self' {after.scheme}://{after.netloc}" if form.redirect else "form-action 'self'"
    ancestors = " ".join(["frame-ancestors", *(form.origins or ["'none'"])])
    changed = []
    for name, value in page.GUARD:
        if name == "Content-Security-Policy":
            value = value.replace("form-action 'self'", may_follow).replace("frame-ancestors 'none'", ancestors)
        if not (name == "X-Frame-Options" and form.origins):  # it knows no list of origins
            changed.append((name, value))
    return tuple(changed)
