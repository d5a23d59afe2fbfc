"""Product feeds: whether they come, and what is in them. They are set up with `cairn feeds`."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from engine.feeds import store
from webapp.pages.work import work

MOST = 100


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/feeds", "feeds", listing)
    blueprint.add_url_rule("/feeds/<slug>", "feed", feed)


def listing() -> ResponseReturnValue:
    """All feeds with what is wrong with them."""
    with work() as opened:
        return render_template("pages/feeds.html", feeds=store.listed(opened.session))


def feed(slug: str) -> ResponseReturnValue:
    """The first products of a feed."""
    with work() as opened:
        found = store.find(opened.session, slug)
        products = store.shown(opened.session, found, MOST + 1)
        return render_template("pages/feed.html", feed=found, products=products[:MOST], more=len(products) > MOST)
