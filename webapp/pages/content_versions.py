"""The versions of a content: what changed in each, and bringing one back."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.content import history
from engine.errors import CairnError, NotFound
from engine.model import AuditLog
from webapp.auth.people import signed_in
from webapp.pages.work import work

MOST = 100


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/contents/<slug>/versions", "content_versions", versions)
    blueprint.add_url_rule("/contents/<slug>/versions", "content_restore", restore, methods=["POST"])


def versions(slug: str) -> ResponseReturnValue:
    """The versions, and what one of them changed, from the one before it or from any other."""
    with work() as opened:
        content = history.by_slug(opened.session, slug)
        listed = history.listing(opened.session, content, MOST)
        if not listed:
            raise NotFound("saved version of", slug, "Write its text first.")
        number = request.args.get("version", listed[0].number, type=int)
        new = history.find(opened.session, content, number)
        earlier = [each.number for each in listed if each.number < number]
        against = request.args.get("against", earlier[0] if earlier else 0, type=int)
        old = history.find(opened.session, content, against) if against else None
        changes, snippets = history.compared(old, new), history.newer_snippets(old, new)
    return render_template(
        "pages/content_versions.html", slug=slug, versions=listed, shown=new, against=against, changes=changes,
        snippets=snippets,
    )  # fmt: skip


def restore(slug: str) -> ResponseReturnValue:
    """Make an earlier version's text the newest version."""
    number = request.form.get("version", 0, type=int)
    try:
        with work() as opened:
            content = history.by_slug(opened.session, slug)
            saved = history.restore(opened.session, content, number, opened.now)
            detail = {"version": saved.number, "from": number}
            who, what = signed_in().email, f"content {slug}"
            opened.session.add(AuditLog(actor=who, action="restore", object=what, detail=detail, at=opened.now))
        flash(f"The text of version {number} is sent again, as version {saved.number}.", "success")
    except NotFound:
        raise
    except CairnError as error:
        flash(f"Version {number} cannot be saved any more: {error}", "warning")
    return redirect(url_for("pages.content_versions", slug=slug))
