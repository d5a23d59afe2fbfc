"""Campaigns: the list, the editor, what would go wrong, the progress, and who is behind each number."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.campaigns import copying, forecast, preflight, report, states, store, winner
from engine.campaigns.definition import WINS_BY, Definition, as_mapping, as_yaml, parse, percent, read
from engine.campaigns.text import spliced
from engine.errors import CairnError, InvalidInput, NotFound
from engine.identities import store as identities
from engine.model import Campaign
from engine.signing import signer
from journeys.explain import words
from journeys.explain.campaigns import explain_campaign
from webapp.auth.people import signed_in
from webapp.pages.campaign_form import LABELS, MOST, Form, blank, filled, merged, worded
from webapp.pages.intervals import scale_of
from webapp.pages.paging import number_cursor
from webapp.pages.queries import campaigns as queries
from webapp.pages.queries.contacts import by_public_id, display_name
from webapp.pages.rule_check import check_rule
from webapp.pages.segments import slug_of
from webapp.pages.work import Work, work

SAID = {
    "start": "The campaign starts at its time.",
    "draft": "The campaign is a draft again.",
    "pause": "Nothing more leaves until you resume it.",
    "resume": "The campaign goes on.",
    "cancel": "The campaign is cancelled, with all that was queued.",
}

WINS = (("", "No winner"), *((each, each.capitalize()) for each in WINS_BY))


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen; no slug begins with a dash."""
    blueprint.add_url_rule("/campaigns", "campaigns", listing)
    blueprint.add_url_rule("/campaigns/-/new", "campaign_new", new, methods=["GET", "POST"])
    blueprint.add_url_rule("/campaigns/-/audience", "campaign_audience", count, methods=["POST"])
    blueprint.add_url_rule("/campaigns/<slug>", "campaign", campaign)
    blueprint.add_url_rule("/campaigns/<slug>/edit", "campaign_edit", edit, methods=["GET", "POST"])
    blueprint.add_url_rule("/campaigns/<slug>/copy", "campaign_copy", copy, methods=["POST"])
    blueprint.add_url_rule("/campaigns/<slug>/check", "campaign_check", check)
    blueprint.add_url_rule("/campaigns/<slug>/contacts", "campaign_contacts", contacts)
    blueprint.add_url_rule("/campaigns/<slug>/contacts/<public_id>", "campaign_contact", contact)
    blueprint.add_url_rule("/campaigns/<slug>/state", "campaign_state", change, methods=["GET", "POST"])


def listing() -> ResponseReturnValue:
    """All campaigns with their main figures."""
    with work() as opened:
        rows = queries.listing(opened.session)
    return render_template("pages/campaigns.html", campaigns=rows)


def campaign(slug: str) -> ResponseReturnValue:
    """What it did so far; of one that has not started, what it will do."""
    with work() as opened:
        found = store.find(opened.session, slug)
        figures = report.report(opened.session, found)
        definition = store.definition_of(found)
        waves = report.waves(opened.session, found.id)
    if request.args.get("seen", found.state) != found.state:
        return "", 204, {"HX-Refresh": "true"}  # what may be done with it has changed too
    scale = scale_of([figures.lift.rate] if figures.lift and figures.lift.enough else [])
    context = {"campaign": found, "report": figures, "definition": definition, "waves": waves, "scale": scale}
    context |= {
        "finish": forecast.finish(figures, definition, waves, opened.now),
        "against": winner.against_control(figures, definition),
    }
    return render_template("pages/campaign.html", percent_of=percent, text=store.text_of(found), **context)


def check(slug: str) -> ResponseReturnValue:
    """What would go wrong, whom it reaches, what it costs; with the button that starts it."""
    with work() as opened:
        found = store.find(opened.session, slug)
        checked = preflight.check(opened.session, store.definition_of(found), signer(), _site(), opened.now)
    return render_template("pages/campaign_check.html", campaign=found, check=checked, say=worded)


def contacts(slug: str) -> ResponseReturnValue:
    """The contacts behind a number, a page at a time."""
    what, arm = request.args.get("what", "audience"), request.args.get("arm", "")
    with work() as opened:
        found = store.find(opened.session, slug)
        if what not in queries.BEHIND:
            raise NotFound("list", what)
        page = queries.contacts(opened.session, found, what, arm, number_cursor(request.args.get("after")))
    labels = {name: name.replace("_", " ") for name in queries.BEHIND}
    return render_template("pages/campaign_contacts.html", campaign=found, what=what, arm=arm, page=page, labels=labels)


def contact(slug: str, public_id: str) -> ResponseReturnValue:
    """Why the contact got the campaign, or did not."""
    with work() as opened:
        found, who = store.find(opened.session, slug), by_public_id(opened.session, public_id)
        if who is None:
            raise NotFound("contact", public_id)
        name = display_name(who)
        story = explain_campaign(opened.session, slug, who.id, name, signer(), opened.now)
        zone = opened.workspace.zone
    context = {"campaign": found, "contact": who, "name": name, "story": story, "say": words, "zone": zone}
    return render_template("pages/campaign_contact.html", **context)


def new() -> ResponseReturnValue:
    """Write a campaign."""
    return _submitted(None) if request.method == "POST" else _editor(None, blank())


def edit(slug: str) -> ResponseReturnValue:
    """Change a draft, by its fields or as its file."""
    if request.method == "POST":
        return _submitted(slug)
    with work() as opened:
        found = store.find(opened.session, slug)
    return _editor(found, filled(found.definition) | {"source": found.source or ""})


def copy(slug: str) -> ResponseReturnValue:
    """A duplicate, or another try at those who did not open it."""
    make = _again if request.form.get("action") == "again" else _duplicate
    with work() as opened:
        try:
            made = make(opened, slug)
        except InvalidInput as error:
            flash(str(error), "warning")
            return redirect(url_for("pages.campaign", slug=slug))
    flash("Here is the draft. Nothing is sent before you start it.", "success")
    return redirect(url_for("pages.campaign_edit", slug=made.slug))


def _again(opened: Work, slug: str) -> Campaign:
    return copying.again(opened.session, slug, opened.now, signed_in().email)


def _duplicate(opened: Work, slug: str) -> Campaign:
    return copying.duplicate(opened.session, slug, "", opened.now, signed_in().email)


def count() -> ResponseReturnValue:
    """How many contacts the audience has that is being written, for htmx."""
    audience, excluded = _posted("audience"), _posted("except")
    rule = f"({audience}\n) and not ({excluded}\n)" if audience and excluded else audience
    with work() as opened:
        checked = check_rule(opened, rule)
    return render_template("pages/parts/rule_check.html", check=checked)


def change(slug: str) -> ResponseReturnValue:
    """Whom the deed would concern; posting does it: start, pause, resume, cancel, or back to a draft."""
    verb = request.values.get("action", "")
    if verb not in SAID:
        raise InvalidInput(f"“{verb}” cannot be done to a campaign", "action")
    return _done(slug, verb) if request.method == "POST" else _asked(slug, verb)


def _asked(slug: str, verb: str) -> ResponseReturnValue:
    if verb == "start":
        return redirect(url_for("pages.campaign_check", slug=slug))
    with work() as opened:
        found = store.find(opened.session, slug)
        figures = report.report(opened.session, found)
        news = preflight.news(opened.session, found, opened.now) if verb == "resume" else []
    partial = bool(request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"))
    template = "pages/parts/campaign_sheet.html" if partial else "pages/campaign_state.html"
    return render_template(template, campaign=found, report=figures, verb=verb, partial=partial, news=news)


def _done(slug: str, verb: str) -> ResponseReturnValue:
    accepted = request.form.get("accepted") == "yes"
    with work() as opened:
        actor = signed_in().email
        try:
            if verb == "start":
                preflight.start(opened.session, slug, signer(), _site(), opened.now, actor, accepted=accepted)
            elif verb == "resume":
                preflight.resume(opened.session, slug, opened.now, actor, accepted=accepted)
            else:
                states.change(opened.session, slug, verb, opened.now, actor)
        except InvalidInput as error:
            flash(worded(str(error)), "warning")
            return redirect(url_for("pages.campaign_check" if verb == "start" else "pages.campaign", slug=slug))
    flash(SAID[verb], "success")
    return redirect(url_for("pages.campaign", slug=slug))


def _site() -> str:
    site: str = current_app.extensions["cairn.settings"].site_url
    return site


def _posted(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n").replace("\0", "").strip()


def _submitted(slug: str | None) -> ResponseReturnValue:
    form = Form({name: _posted(name) for name in request.form})
    wanted = form["action"]
    with work() as opened:
        found = store.find(opened.session, slug) if slug else None
        try:
            definition = _read(form, slug, found)
            if wanted in ("file", "form"):  # the same, looked at otherwise; nothing is saved
                text = spliced(form["source"], definition) if form["source"] else as_yaml(definition)
                return _editor(found, filled(as_mapping(definition)) | {"source": text, "mode": wanted}, "", opened)
            if slug is None and queries.taken(opened.session, definition.slug):
                raise InvalidInput(
                    f"There is already a campaign called {definition.slug}", "name", "Choose another name."
                )
            source = form["source"] + "\n" if form["source"] else None
            if source and form["mode"] != "file":
                source = spliced(source, definition)
            saved = store.save(opened.session, definition, opened.now, signed_in().email, source)
        except CairnError as error:
            return _editor(found, form, worded(str(error)) if form["mode"] != "file" else str(error), opened)
    if wanted == "check":
        return redirect(url_for("pages.campaign_check", slug=saved.slug))
    flash("Campaign saved as a draft. Nothing is sent before you start it.", "success")
    return redirect(url_for("pages.campaign_edit", slug=saved.slug))


def _read(form: Form, slug: str | None, found: Campaign | None) -> Definition:
    """What the editor says, as a file or by its fields; what the fields cannot hold stays as it was."""
    if form["mode"] == "file":
        definition = parse(form["source"])
        if slug is not None and definition.slug != slug:
            raise InvalidInput(f"stays {slug}", "campaign", "Make a duplicate to give it another name.")
        return definition
    base = as_mapping(parse(form["source"])) if form["source"] else found.definition if found else None
    name = slug or (str(base["campaign"]) if base else slug_of(form["name"]))
    return read(merged(base, form, name))


def _editor(found: Campaign | None, form: Form, refusal: str = "", opened: Work | None = None) -> ResponseReturnValue:
    if opened is None:
        with work() as own:
            return _editor(found, form, refusal, own)
    context: dict[str, Any] = {"campaign": found, "form": form, "refusal": refusal, "labels": LABELS}
    topics = [("", "None"), *((one.slug, one.name) for one in queries.topics(opened.session))]
    senders = [
        ("", "The default, or as the content says"),
        *((slug, slug) for slug in identities.slugs(opened.session)),
    ]
    context |= {"senders": senders, "contents": queries.contents(opened.session), "topics": topics, "wins": WINS}
    context["segments"] = queries.segments(opened.session)
    rows = max(2, form.variants)
    page = render_template("pages/campaign_edit.html", rows=min(rows + 1, MOST), **context)
    return page, 422 if refusal else 200
