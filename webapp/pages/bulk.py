"""What one does with everybody who is in a segment: lists and journeys. GET says what would happen, POST does it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from engine import clock
from engine.contacts import list_members, lists
from engine.errors import InvalidInput, NotFound
from engine.model import AuditLog, Segment
from journeys import entering
from journeys.leaving import leave_all
from webapp.auth.people import database, signed_in
from webapp.pages.queries import AnyRow, bulk
from webapp.pages.queries import segments as queries
from webapp.pages.work import work

MOST = 50_000
"""People whom a page changes while somebody waits; the command takes any number."""
KEY_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Deed:
    """Something to be done with people, in words, and what does it to a batch of them in a transaction."""

    words: str
    done: str
    command: str
    of_journey: bool
    does: Callable[[Session, str, list[int], str], int]


DEEDS = {
    "on": Deed("Put on the list", "put on", "cairn lists add {target} --segment {segment}", False,
        lambda session, target, ids, _: lists.put_on(session, [target], ids, clock.now(session))),
    "off": Deed("Take off the list", "taken off", "cairn lists remove {target} --segment {segment}", False,
        lambda session, target, ids, _: lists.take_off(session, [target], ids, clock.now(session))),
    "enter": Deed("Let into the journey", "let in", "cairn journeys enter {target} --segment {segment}", True,
        lambda session, target, ids, key: entering.enter_all(session, target, ids, key, clock.now(session))),
    "leave": Deed("Take out of the journey", "taken out", "cairn journeys remove {target} --segment {segment}", True,
        lambda session, target, ids, _: leave_all(session, target, ids, clock.now(session))),
}  # fmt: skip


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/segments/<slug>/people", "bulk", ask)
    blueprint.add_url_rule("/segments/<slug>/people", "bulk_do", do, methods=["POST"])


def ask(slug: str) -> ResponseReturnValue:
    """What would happen, with the number of people."""
    deed, target = _asked(request.args.get("what", ""), request.args.get("target", ""))
    with work() as opened:
        segment = _segment(opened.session, slug)
        if deed.of_journey:
            counts, again = bulk.of_journey(opened.session, slug, target), entering.again(opened.session, target)
        else:
            list_members.expect(opened.session, target)
            counts, again = bulk.of_list(opened.session, slug, target), ""
    context = {"segment": segment, "deed": deed, "target": target, "counts": counts, "again": again}
    context |= {"what": request.args["what"], "touched": _touched(request.args["what"], counts, again)}
    command = deed.command.format(target=target, segment=slug) if counts.people > MOST else ""
    return render_template("pages/bulk.html", command=command, key=uuid.uuid4().hex, **context)


def do(slug: str) -> ResponseReturnValue:
    """Do it, a batch a transaction."""
    deed, target = _asked(request.form.get("what", ""), request.form.get("target", ""))
    key = request.form.get("key", "").replace("\0", "")[:KEY_LENGTH] or uuid.uuid4().hex
    with work() as opened:
        people = _segment(opened.session, slug).contact_count
        if not deed.of_journey:
            list_members.expect(opened.session, target)
    if people > MOST:
        raise InvalidInput(
            f"has more than {MOST} people", slug, f"Use {deed.command.format(target=target, segment=slug)}"
        )
    count = 0
    for batch in list_members.in_segment(database(), slug):
        with database().transaction() as session:
            count += deed.does(session, target, batch, f"bulk:{key}")
    with work() as opened:
        detail = {"segment": slug, "contacts": count}
        what = f"{'journey' if deed.of_journey else 'list'} {target}"
        opened.session.add(
            AuditLog(actor=signed_in().email, action=deed.done, object=what, detail=detail, at=opened.now)
        )
    rules = " Its rules decide within seconds who enters." if deed.done == "let in" else ""
    flash(f"{count} {deed.done}: {target}.{rules}", "success")
    return redirect(url_for("pages.segment", slug=slug))


def _touched(what: str, counts: AnyRow, again: str) -> int:
    """How many people it will concern, as far as that is known before."""
    if what in ("off", "leave"):
        return int(counts.inside)
    return int(counts.people - counts.inside - (counts.earlier if again == "once" else 0))


def _asked(what: str, target: str) -> tuple[Deed, str]:
    deed = DEEDS.get(what)
    if deed is None or not target.strip("\0 "):
        raise InvalidInput("says nothing to do", "what", "Choose a list or a journey on the page of the segment.")
    return deed, target.replace("\0", "").strip()[:100]


def _segment(session: Session, slug: str) -> Segment:
    found = queries.by_slug(session, slug)
    if found is None:
        raise NotFound("segment", slug)
    return found
