"""Product feeds: made, changed, fetched and removed, whether they come, and what is in them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.errors import InvalidInput
from engine.feeds import store
from engine.feeds.reading import read
from engine.model import AuditLog, Feed
from engine.webhooks.address import parse_url
from engine.webhooks.download import LARGEST
from webapp.auth.people import signed_in
from webapp.pages.segments import slug_of
from webapp.pages.work import Work, work

MOST = 100
HOURLY = 60
CHANGING = frozenset({"pages.feed_new", "pages.feed_edit"})


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form: a URL with its minutes, or the bytes of a file."""

    url: str = ""
    every: int = HOURLY
    file: bytes = b""


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.url_value_preprocessor(_larger)
    blueprint.add_url_rule("/feeds", "feeds", listing)
    blueprint.add_url_rule("/feeds/-/new", "feed_new", new, methods=["GET", "POST"])
    blueprint.add_url_rule("/feeds/<slug>", "feed", feed)
    blueprint.add_url_rule("/feeds/<slug>/edit", "feed_edit", edit, methods=["GET", "POST"])
    blueprint.add_url_rule("/feeds/<slug>/fetch", "feed_fetch", fetch, methods=["POST"])
    blueprint.add_url_rule("/feeds/<slug>/remove", "feed_remove", remove, methods=["POST"])


def _larger(endpoint: str | None, _: dict[str, object] | None) -> None:
    """A feed may come as a file; this runs before anything reads the form."""
    if endpoint in CHANGING:
        request.max_content_length = LARGEST + 1_000_000


def listing() -> ResponseReturnValue:
    """All feeds with what is wrong with them."""
    with work() as opened:
        return render_template("pages/feeds.html", feeds=store.listed(opened.session))


def feed(slug: str) -> ResponseReturnValue:
    """The first products of a feed, and the contents that show them."""
    with work() as opened:
        found = store.find(opened.session, slug)
        products = store.shown(opened.session, found, MOST + 1)
        coming = found.url is not None and found.tried_at is None
        return render_template(
            "pages/feed.html", feed=found, products=products[:MOST], more=len(products) > MOST, coming=coming,
            users=store.users(opened.session, slug), days=opened.workspace.best_seller_days,
        )  # fmt: skip


def new() -> ResponseReturnValue:
    """Make a feed of a URL or of a file."""
    if request.method == "GET":
        return render_template("pages/feed_edit.html", feed=None, name="", typed=Typed())
    name = request.form.get("name", "").replace("\0", "").strip()[:MOST]
    with work() as opened:
        slug = slug_of(name)
        taken = any(each.slug == slug for each in store.listed(opened.session))
        refusal = f"There is already a feed called “{slug}”." if taken else ""
        return _saved(opened, None, slug, name, refusal)


def edit(slug: str) -> ResponseReturnValue:
    """Change where a feed comes from."""
    with work() as opened:
        found = store.find(opened.session, slug)
        if request.method == "POST":
            return _saved(opened, found, slug)
        return render_template("pages/feed_edit.html", feed=found, name=slug, typed=Typed(found.url or "", found.every))


def fetch(slug: str) -> ResponseReturnValue:
    """Have it fetched now."""
    try:
        with work() as opened:
            store.again(opened.session, slug, opened.now)
        flash("It is being fetched.", "success")
    except InvalidInput as error:
        flash(str(error), "warning")
    return redirect(url_for("pages.feed", slug=slug))


def remove(slug: str) -> ResponseReturnValue:
    """Forget it with its products."""
    try:
        with work() as opened:
            store.remove(opened.session, slug)
            _note(opened, "remove", slug)
    except InvalidInput as error:
        flash(str(error), "warning")
        return redirect(url_for("pages.feed", slug=slug))
    flash(f"The feed {slug} is removed.", "success")
    return redirect(url_for("pages.feeds"))


def _saved(opened: Work, found: Feed | None, slug: str, name: str = "", refusal: str = "") -> ResponseReturnValue:
    typed = _typed()
    try:
        if refusal:
            raise InvalidInput(refusal.rstrip("."), hint="Choose another name.")
        _save(opened, slug, typed, found)
    except InvalidInput as error:
        page = render_template("pages/feed_edit.html", feed=found, name=name or slug, typed=typed, refusal=str(error))
        return page, 422
    flash("The feed is saved." if typed.file else "The feed is saved and being fetched.", "success")
    return redirect(url_for("pages.feed", slug=slug))


def _save(opened: Work, slug: str, typed: Typed, found: Feed | None) -> None:
    """Raises InvalidInput, with nothing saved."""
    if not slug:
        raise InvalidInput("A name needs at least one letter or digit")
    if not typed.file and not typed.url and (found is None or found.url):
        raise InvalidInput("There is neither a URL nor a file", hint="Give one of both.")
    if not typed.file and typed.url:
        parse_url(typed.url)
    products = read(typed.file) if typed.file else None
    made = store.add(opened.session, slug, None if typed.file else typed.url or None, typed.every, opened.now)
    if products is not None:
        store.keep(opened.session, made.id, products, store.Known(), opened.now)
    elif made.url:
        made.tried_at = None
    _note(opened, "save", slug)


def _typed() -> Typed:
    chosen = request.files.get("file")
    every = request.form.get("every", HOURLY, type=int)
    return Typed(request.form.get("url", "").strip(), every, chosen.read() if chosen else b"")


def _note(opened: Work, action: str, slug: str) -> None:
    opened.session.add(AuditLog(actor=signed_in().email, action=action, object=f"feed {slug}", at=opened.now))
