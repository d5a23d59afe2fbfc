"""The library: stock journeys to look at and to begin from."""

from __future__ import annotations

from functools import lru_cache

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.content import store, trial
from engine.content.compile import compile_source
from engine.errors import InvalidInput, NotFound
from engine.expr.load import load as load_schema
from engine.rendering.sms import SmsRenderer
from webapp import library as stocks
from webapp.library_sample import SAMPLE
from webapp.pages.mail_parts import read_parts
from webapp.pages.mailbox import framed
from webapp.pages.outline import entrance, outline
from webapp.pages.work import Work, work


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen; no journey's name begins with a dash."""
    blueprint.add_url_rule("/journeys/-/library", "journey_library", listing)
    blueprint.add_url_rule("/journeys/-/library/<slug>", "journey_stock", stock, methods=["GET", "POST"])
    blueprint.add_url_rule("/journeys/-/library/<slug>/<message>", "journey_stock_message", message)


def listing() -> ResponseReturnValue:
    """All of them, with the events that they need and whether those come in."""
    with work() as opened:
        received = load_schema(opened.session).events.keys()
    return render_template("pages/library.html", stocks=stocks.stock(), received=received)


def stock(slug: str) -> ResponseReturnValue:
    """One of them with its steps and messages; posting brings it into the workspace."""
    found = stocks.find(slug)
    if request.method == "POST":
        return _use(found)
    return _shown(found, stocks.Brand(), "")


def message(slug: str, message: str) -> Response:
    """One message as an invented customer gets it: the HTML of an email alone, for a sandboxed frame."""
    found = next((one for one in stocks.find(slug).messages if one.slug == message), None)
    if found is None or found.channel != "email":
        raise NotFound("message", message, "The stock journey does not send it.")
    with work() as opened:
        html = _rendered(found, opened)
    return framed(html)


def _use(found: stocks.Stock) -> ResponseReturnValue:
    given = stocks.Brand(request.form.get("site", "")[:200], request.form.get("accent", "")[:20])
    try:
        own = stocks.brand(given.site, given.accent)
    except InvalidInput as error:
        return _shown(found, given, f"{error.message}. {error.hint}", 422)
    with work() as opened:
        added = stocks.add(opened.session, found, own, opened.now)
    kept = f" {len(added.kept)} of its parts were there already and stayed as they were." if added.kept else ""
    flash(f"This is a draft with its contents. Nothing is sent until you publish it.{kept}", "success")
    return redirect(url_for("pages.journey_text", slug=found.slug))


def _shown(found: stocks.Stock, own: stocks.Brand, fault: str, status: int = 200) -> ResponseReturnValue:
    with work() as opened:
        received = load_schema(opened.session).events.keys()
        texts = {one.slug: _rendered(one, opened) for one in found.messages if one.channel == "sms"}
    context = {"stock": found, "received": received, "brand": own, "fault": fault, "texts": texts}
    nodes, way = outline(found.journey.steps), entrance(found.journey)
    return render_template("pages/library_stock.html", nodes=nodes, entrance=way, **context), status


def _rendered(found: stocks.Message, opened: Work) -> str:
    """The HTML of an email, or a text message."""
    own = {"name": opened.workspace.name, "currency": opened.workspace.currency}
    renderer, context = _renderer(found), {**SAMPLE, "workspace": own}
    if isinstance(renderer, SmsRenderer):
        return renderer.render(context).text
    return read_parts("email", renderer.render(context, trial.sample_envelope()).data).html or ""


@lru_cache(maxsize=100)
def _renderer(found: stocks.Message) -> store.Renderer:
    """The content's renderer. Its text is of this package, so that no process of its own has to guard it."""
    return store.build(compile_source(found.text, found.channel).data)
