"""The list of contacts, and one contact with its timeline, its data to download, and the way to erase it."""

from __future__ import annotations

import json
import uuid

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.contacts import list_members, lists, suppressions, topics
from engine.contacts.everything import collect
from engine.contacts.suppressions import Suppressed
from engine.errors import InvalidInput, NotFound
from engine.habits import outlook
from engine.habits.outlook import Outlook
from engine.messages.limits import Limits
from engine.model import AuditLog
from engine.signing import signer
from journeys import entering
from journeys.explain import explain_journey, words
from journeys.leaving import leave
from webapp import forgetting
from webapp.auth.people import database, signed_in
from webapp.errors import Forbidden
from webapp.pages.lists import note
from webapp.pages.paging import moment_cursor, number_cursor
from webapp.pages.queries import AnyRow, timeline
from webapp.pages.queries import contacts as queries
from webapp.pages.work import Work, work

LONGEST_SEARCH = 200
KEY_LENGTH = 100


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/contacts", "contacts", listing)
    blueprint.add_url_rule("/contacts/<public_id>", "contact", contact)
    blueprint.add_url_rule("/contacts/<public_id>/export", "contact_export", export)
    blueprint.add_url_rule("/contacts/<public_id>/erase", "contact_erase", erase, methods=["POST"])
    blueprint.add_url_rule("/contacts/<public_id>/timeline", "contact_timeline", older)
    blueprint.add_url_rule("/contacts/<public_id>/journeys/<slug>", "contact_journey", journey)
    blueprint.add_url_rule("/contacts/<public_id>/list", "contact_list", change_list, methods=["POST"])
    for name, view in (("enter", let_in), ("leave", take_out)):
        rule = f"/contacts/<public_id>/journeys/<slug>/{name}"
        blueprint.add_url_rule(rule, f"contact_{name}", view, methods=["POST"])


def listing() -> ResponseReturnValue:
    """Search by the beginning of an address, an id or a name; htmx asks for the rows alone."""
    text = request.args.get("q", "").strip().replace("\0", "")[:LONGEST_SEARCH]
    after = number_cursor(request.args.get("after"))
    with work() as opened:
        page = queries.search(opened.session, text, after)
    partial = request.headers.get("HX-Request") and not request.headers.get("HX-Boosted")
    template = "pages/parts/contact_rows.html" if partial else "pages/contacts.html"
    return render_template(template, page=page, q=text, after=after, name=queries.display_name)


def contact(public_id: str) -> ResponseReturnValue:
    """Who it is, and everything that happened."""
    with work() as opened:
        found = queries.by_public_id(opened.session, public_id)
        if found is None:
            raise NotFound("contact", public_id)
        context = {
            "consents": queries.consents(opened.session, found.id),
            "pauses": queries.pauses(opened.session, found.id, opened.now),
            "topics": [topic for topic in topics.listed(opened.session) if topic.archived_at is None],
            "suppressed": _suppressed(opened, found),
            "segments": queries.segments(opened.session, found.id),
            "journeys": queries.journeys(opened.session, found.id),
            "lists": list_members.of(opened.session, found.id),
            "all_lists": list_members.listed(opened.session),
            "timeline": timeline.read(opened.session, found.id, None),
            "outlook": _outlook(opened, found.id),
        }
    return render_template("pages/contact.html", contact=found, name=queries.display_name(found), **context)


def _outlook(opened: Work, contact_id: int) -> Outlook:
    """At which hours the contact opens, and the best one that email may leave at."""
    quiet = Limits.of(opened.workspace).hours_of("email", None)
    return outlook.of(opened.session, contact_id, opened.now, opened.workspace.zone, quiet)


def _suppressed(opened: Work, found: AnyRow) -> dict[str, Suppressed]:
    """By channel, what bars the contact's address."""
    addresses = [(channel, address) for channel, address in (("email", found.email), ("sms", found.phone)) if address]
    return {each.channel: each for each in suppressions.of_addresses(opened.session, addresses, signer())}


def journey(public_id: str, slug: str) -> ResponseReturnValue:
    """Why the contact did, or did not, get what a journey sends."""
    with work() as opened:
        found = queries.by_public_id(opened.session, public_id)
        if found is None:
            raise NotFound("contact", public_id)
        name = queries.display_name(found)
        story = explain_journey(opened.session, slug, found.id, name, signer(), opened.now)
        zone, takes_people = opened.workspace.zone, entering.takes_people(opened.session, slug)
    inside = any(entry.status in ("active", "held_out") for entry in story.entries)
    context = {"contact": found, "name": name, "story": story, "say": words, "zone": zone, "inside": inside}
    context |= {"may_enter": takes_people and not inside, "key": uuid.uuid4().hex}
    return render_template("pages/contact_journey.html", **context)


def let_in(public_id: str, slug: str) -> ResponseReturnValue:
    """Ask that the contact enters; the journey's rules decide soon after. The key makes a second press the same one."""
    with work() as opened:
        found = _contact(opened, public_id)
        key = request.form.get("key", "").replace("\0", "")[:KEY_LENGTH] or uuid.uuid4().hex
        entering.enter(opened.session, slug, found, f"hand:{key}", {}, opened.now)
        _note(opened, "let in", public_id, slug)
    flash("Asked to let this person in. The journey’s rules decide within seconds.", "success")
    return redirect(url_for("pages.contact_journey", public_id=public_id, slug=slug))


def take_out(public_id: str, slug: str) -> ResponseReturnValue:
    """End the contact's entry and cancel what it has queued."""
    with work() as opened:
        left = leave(opened.session, slug, _contact(opened, public_id), opened.now)
        if left:
            _note(opened, "take out", public_id, slug)
    flash(f"Taken out of {slug}." if left else f"This person is not in {slug} any more.", "success")
    return redirect(url_for("pages.contact_journey", public_id=public_id, slug=slug))


def change_list(public_id: str) -> ResponseReturnValue:
    """Put the contact on a list, or take it off."""
    slug, off = request.form.get("list", ""), request.form.get("what") == "off"
    with work() as opened:
        found = list_members.expect(opened.session, slug)
        change = lists.take_off if off else lists.put_on
        change(opened.session, [found.slug], [_contact(opened, public_id)], opened.now)
        note(opened, found.slug, "take off" if off else "put on", 1)
    flash(f"{'Taken off' if off else 'Put on'} {found.name}.", "success")
    if request.form.get("back") == "list":
        return redirect(url_for("pages.list", slug=found.slug))
    return redirect(url_for("pages.contact", public_id=public_id))


def _contact(opened: Work, public_id: str) -> int:
    found = queries.by_public_id(opened.session, public_id)
    if found is None:
        raise NotFound("contact", public_id)
    return int(found.id)


def _note(opened: Work, action: str, public_id: str, slug: str) -> None:
    what = f"contact {public_id}"
    log = AuditLog(actor=signed_in().email, action=action, object=what, detail={"journey": slug}, at=opened.now)
    opened.session.add(log)


def older(public_id: str) -> ResponseReturnValue:
    """The next page of the timeline, for htmx."""
    before = moment_cursor(request.args.get("before"))
    with work() as opened:
        found = queries.by_public_id(opened.session, public_id)
        if found is None:
            raise NotFound("contact", public_id)
        page = timeline.read(opened.session, found.id, before)
    return render_template("pages/parts/timeline.html", contact=found, timeline=page)


def export(public_id: str) -> ResponseReturnValue:
    """All that is stored about the contact, as a JSON file; administrators only."""
    _only_administrators()
    with work() as opened:
        found = queries.by_public_id(opened.session, public_id)
        if found is None:
            raise NotFound("contact", public_id)
        document = json.dumps(collect(opened.session, found.id, signer()), indent=2, ensure_ascii=False)
        by = signed_in().email
        opened.session.add(AuditLog(actor=by, action="exported", object=f"contact {found.id}", at=opened.now))
    name = {"Content-Disposition": f'attachment; filename="contact-{public_id}.json"'}
    return Response(document, mimetype="application/json", headers=name)


def erase(public_id: str) -> ResponseReturnValue:
    """Forget the contact; administrators only, who typed the word."""
    _only_administrators()
    if request.form.get("word", "").strip().lower() != "erase":
        raise InvalidInput("the word is missing", where="erase", hint="Go back and type erase.")
    if forgetting.forget(database(), [public_id], signer(), signed_in().email) == 0:
        raise NotFound("contact", public_id)
    flash("This person is erased. Reports keep their numbers.", "success")
    return redirect(url_for("pages.contacts"))


def _only_administrators() -> None:
    if signed_in().role != "admin":
        raise Forbidden("Only administrators download or erase all that is known of a person.")
