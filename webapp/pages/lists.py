"""Lists: all of them, and one with who is on it, where people are put on and taken off by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.contacts import list_members, lists
from engine.db import Database
from engine.errors import InvalidInput
from engine.model import AuditLog
from webapp.auth.people import database, signed_in
from webapp.pages.paging import cut, number_cursor
from webapp.pages.queries import contacts as queries
from webapp.pages.segments import slug_of
from webapp.pages.work import Work, work

LONGEST_NAME = 120
PAGE_SIZE = 50
MOST_NAMES = 5000
SHOWN = 5
CHANGES: dict[str, list_members.Change] = {"on": lists.put_on, "off": lists.take_off}


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen; no slug begins with a dash, so `-` is free for the others."""
    blueprint.add_url_rule("/lists", "lists", listing)
    blueprint.add_url_rule("/lists/-/new", "list_new", new, methods=["POST"])
    blueprint.add_url_rule("/lists/<slug>", "list", one, methods=["GET", "POST"])
    blueprint.add_url_rule("/lists/<slug>/members.csv", "list_members", members)


def listing() -> ResponseReturnValue:
    """All lists with their size."""
    with work() as opened:
        return render_template("pages/lists.html", lists=list_members.listed(opened.session))


def new() -> ResponseReturnValue:
    """Make a list."""
    name = request.form.get("name", "").replace("\0", "").strip()[:LONGEST_NAME]
    with work() as opened:
        lists.create(opened.session, slug_of(name), name)
    return redirect(url_for("pages.list", slug=slug_of(name)))


def one(slug: str) -> ResponseReturnValue:
    """Who is on the list, latest first; POST puts people on or takes them off."""
    if request.method == "POST":
        return _changed(slug)
    after = number_cursor(request.args.get("after"))
    with work() as opened:
        found = list_members.expect(opened.session, slug)
        page = cut(list_members.members(opened.session, slug, after, PAGE_SIZE + 1), PAGE_SIZE)
    return render_template("pages/list.html", list=found, page=page, after=after, name=queries.display_name)


def _changed(slug: str) -> ResponseReturnValue:
    names = request.form.get("names", "").replace("\0", "").replace(",", "\n").splitlines()
    wanted = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if not wanted or len(wanted) > MOST_NAMES:
        raise InvalidInput(f"name 1 to {MOST_NAMES} people", "names", f"For more: cairn lists add {slug} --file FILE")
    what = request.form.get("what", "on")
    with work() as opened:
        list_members.expect(opened.session, slug)
        done = list_members.change_named(opened.session, CHANGES.get(what, lists.put_on), slug, wanted, opened.now)
        note(opened, slug, "take off" if what == "off" else "put on", done.number)
    flash(f"{done.number} {'taken off' if what == 'off' else 'put on'}.", "success")
    if done.unknown:
        more = f" and {len(done.unknown) - SHOWN} more" if len(done.unknown) > SHOWN else ""
        flash(f"Not known: {', '.join(done.unknown[:SHOWN])}{more}. Import them first.", "warn")
    return redirect(url_for("pages.list", slug=slug))


def note(opened: Work, slug: str, action: str, number: int) -> None:
    """Keep who changed a list."""
    detail = {"contacts": number}
    opened.session.add(
        AuditLog(actor=signed_in().email, action=action, object=f"list {slug}", detail=detail, at=opened.now)
    )


def members(slug: str) -> ResponseReturnValue:
    """Who is on the list as CSV, a batch of rows at a time."""
    with work() as opened:
        list_members.expect(opened.session, slug)
    name = {"Content-Disposition": f'attachment; filename="list-{slug}.csv"'}
    return Response(_lines(database(), slug), mimetype="text/csv; charset=utf-8", headers=name)


def _lines(known: Database, slug: str) -> Iterator[str]:
    yield "external_id,email,phone,added_at\r\n"
    before = None
    while True:
        with known.transaction() as session:
            batch = list_members.members(session, slug, before, list_members.BATCH)
        if not batch:
            return
        text = io.StringIO()
        csv.writer(text).writerows(list_members.as_cells(row) for row in batch)
        yield text.getvalue()
        before = batch[-1].id
