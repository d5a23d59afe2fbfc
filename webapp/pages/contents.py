"""Contents: the list, and each as any contact would get it, with what is unwise about it and a way to try it out."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.channels.allowed import parse
from engine.channels.dkim import configured
from engine.contacts.find import find as find_contact
from engine.content.variants import why
from engine.errors import CairnError, InvalidInput, NotFound
from engine.previews import handing, look, message, spam, visits
from engine.reports import languages
from engine.settings import Settings
from engine.signing import signer
from engine.webhooks.address import networks
from webapp.auth.people import signed_in
from webapp.pages.mailbox import framed
from webapp.pages.queries import contents as queries
from webapp.pages.work import Work, work

VIEWS = ("rendered", "text", "headers", "source")
LONGEST = 200


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/contents", "contents", listing)
    blueprint.add_url_rule("/contents/<slug>", "content", content)
    blueprint.add_url_rule("/contents/<slug>/body", "content_body", body)
    blueprint.add_url_rule("/contents/<slug>/links", "content_links", visited, methods=["POST"])
    blueprint.add_url_rule("/contents/<slug>/test", "content_test", test, methods=["POST"])


def listing() -> ResponseReturnValue:
    """All contents by name, or those with some words in their name or subject."""
    words = _asked(request.args.get("q"))
    with work() as opened:
        rows = queries.listing(opened.session, words)
    return render_template("pages/contents.html", contents=rows, q=words)


def content(slug: str) -> ResponseReturnValue:
    """One content as a contact would get it, or with sample values."""
    asked, view = _asked(request.args.get("as")), request.args.get("view", "")
    language, figures = _asked(request.args.get("language")), request.args.get("figures") == "1"
    with work() as opened:
        found, who, refusal = _found(opened, slug, asked, language)
        since = opened.now - languages.PERIOD
        by_language = languages.report(opened.session, slug, since) if figures and found.languages else None
        shown = message.render(opened.session, found, who, opened.workspace, _site(), opened.now)
        currency = opened.workspace.currency
    if view not in VIEWS:
        view = "rendered" if found.channel == "email" else "text"
    return render_template(
        "pages/content.html",
        content=found,
        preview=shown,
        currency=currency,
        who=who,
        asked=asked,
        language=language,
        why=why(who.names, found.languages) if not (who.sample or language) else "",
        by_language=by_language,
        refusal=refusal,
        view=view,
        dark="1" if request.args.get("dark") == "1" else None,
        has_dark=look.has_dark(shown.html),
        links=look.links(shown.html) or [link["url"] for link in found.compiled.get("links", ()) if not shown.html],
        findings=look.findings(found, shown),
        rspamd=bool(_settings().rspamd_url),
        spam=_spam(shown),
    )


def body(slug: str) -> Response:
    """The HTML part alone, for a sandboxed frame; `dark=1` shows it as programs in dark mode do."""
    with work() as opened:
        asked, language = _asked(request.args.get("as")), _asked(request.args.get("language"))
        found, who, _ = _found(opened, slug, asked, language)
        shown = message.render(opened.session, found, who, opened.workspace, _site(), opened.now)
    return framed(look.dark(shown.html) if request.args.get("dark") == "1" else shown.html)


def visited(slug: str) -> ResponseReturnValue:
    """What the links of a content answer, for htmx."""
    with work() as opened:
        asked, language = _asked(request.form.get("as")), _asked(request.form.get("language"))
        found, who, _ = _found(opened, slug, asked, language)
        shown = message.render(opened.session, found, who, opened.workspace, _site(), opened.now)
    found_links = visits.visit(look.links(shown.html), networks(_settings().webhook_networks))
    return render_template("pages/parts/link_states.html", visits=found_links)


def test(slug: str) -> ResponseReturnValue:
    """Send it to colleagues, marked as a test."""
    asked, language = _asked(request.form.get("as")), _asked(request.form.get("language"))
    try:
        with work() as opened:
            found, who, refusal = _found(opened, slug, asked, language)
            if refusal:
                raise InvalidInput(refusal, where="contact")
            to = request.form.get("to", "").replace("\0", "").replace(";", ",").split(",")
            letters = handing.prepare(
                opened.session,
                found,
                who,
                to,
                opened.workspace,
                _site(),
                signed_in().email,
                opened.now,
                signer(),
                allowed=parse(_settings().allowed_recipients),
            )
        tell(send(letters))
    except NotFound:
        raise
    except CairnError as error:
        flash(str(error), "warning")
    named: dict[str, Any] = {key: value for key, value in (("as", asked), ("language", language)) if value}
    return redirect(url_for("pages.content", slug=slug, **named))


def send(letters: list[handing.Letter]) -> list[handing.Handed]:
    """Hand tests to the relays. Raises InvalidInput without one."""
    own = _settings()
    if not own.smtp_url:
        raise InvalidInput("is not set", where="CAIRN_SMTP_URL", hint="Start Cairn with `cairn up`, or name a server.")
    return handing.hand_over(letters, own.smtp_url, configured(own.dkim_domain, own.dkim_keys))


def tell(handed: list[handing.Handed]) -> None:
    """Say on the next page what became of them."""
    for each in handed:
        if each.error:
            flash(f"{each.recipient} was not sent to: {each.error}", "warning")
    taken = [each.recipient for each in handed if not each.error]
    if taken:
        flash(f"The test is on its way to {', '.join(dict.fromkeys(taken))}.", "success")


def _found(opened: Work, slug: str, asked: str, language: str) -> tuple[message.Content, message.Person, str]:
    """The content in the language that is asked for or that the contact gets, the contact, and why it is not them.

    Sample values stand in for a contact that is not asked for, or not there.
    """
    found, refusal = message.find(opened.session, slug, language), ""
    who = message.nobody(found)
    if asked:
        try:
            who = message.contact(opened.session, find_contact(opened.session, asked).id)
        except NotFound:
            refusal = f"No contact is called “{asked}”."
    return found if language else message.spoken(opened.session, found, who), who, refusal


def _asked(text: str | None) -> str:
    return (text or "").replace("\0", "").strip()[:LONGEST]


def _spam(shown: message.Preview) -> spam.Spam | str | None:
    """What rspamd says if it is asked for; a text says why it does not."""
    own = _settings()
    if not own.rspamd_url or not shown.raw or request.args.get("spam") != "1":
        return None
    try:
        return spam.ask(own.rspamd_url, shown.raw)
    except CairnError as error:
        return str(error)


def _settings() -> Settings:
    return cast(Settings, current_app.extensions["cairn.settings"])


def _site() -> str:
    return _settings().site_url
