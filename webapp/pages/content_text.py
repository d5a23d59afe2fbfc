"""Writing a content: its text with the errors at their lines and how it looks, saved as a new version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from engine.content import attachments, store, taken
from engine.content.history import Kept
from engine.content.variants import DEFAULT, VariantError
from engine.errors import CairnError, InvalidInput, LanguageError
from engine.model import AuditLog, ContentVersion
from engine.previews import draft as drafts
from engine.previews.message import Preview
from journeys.language.problems import Problem, in_order
from webapp.auth.people import signed_in
from webapp.pages.content_draft import Draft, blank, copied, posted, rows_of, stored
from webapp.pages.journeys import posted_text
from webapp.pages.queries import contents as queries
from webapp.pages.segments import slug_of
from webapp.pages.work import Work, work

LARGEST = attachments.LARGEST + 2_000_000
READS = "It can be saved. Journeys and campaigns send the newest version from then on."


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/contents/-/new", "content_new", new, methods=["GET", "POST"])
    blueprint.add_url_rule("/contents/<slug>/edit", "content_edit", edit, methods=["GET", "POST"])
    blueprint.add_url_rule("/contents/-/check", "content_check", check, methods=["POST"])
    blueprint.url_value_preprocessor(_larger)


def _larger(endpoint: str | None, _: dict[str, object] | None) -> None:
    """Attachments come with the form, so it may be larger than others; this runs before anything reads it."""
    if endpoint in ("pages.content_new", "pages.content_edit"):
        request.max_content_length = LARGEST


def new() -> ResponseReturnValue:
    """Write the first version of a content."""
    with work() as opened:
        draft = blank(opened.session)
        if request.method == "GET":
            return _editor(opened, draft)
        name = request.form.get("name", "").strip()
        draft = replace(draft, slug=slug_of(name), text=posted_text())
        if refusal := _unnamed(opened.session, draft.slug):
            return _editor(opened, draft, name=name, refusal=refusal)
        return _saved(opened, draft, name)


def edit(slug: str) -> ResponseReturnValue:
    """Write the next version of a content, of one of its languages, or of a new one; or take a language away."""
    with work() as opened:
        try:
            draft = stored(opened.session, slug)
        except InvalidInput as error:
            flash(str(error), "warning")
            return redirect(url_for("pages.content_edit", slug=slug))
        if request.method == "GET":
            return _editor(opened, draft)
        if request.form.get("action") == "remove":
            return _removed(opened, draft)
        return _saved(opened, replace(draft, text=posted_text()))


def check() -> ResponseReturnValue:
    """The list of problems of a text that is being written, for htmx."""
    with work() as opened:
        draft = posted(opened.session)
        found, shown = _problems(opened.session, draft), _text_of(opened, draft)
        currency = opened.workspace.currency
    return render_template("pages/parts/problems.html", problems=found, reads=READS, preview=shown, currency=currency)


def _text_of(opened: Work, draft: Draft) -> Preview | None:
    """What a text comes to with sample values; None for an email, and for what cannot be read."""
    if draft.channel != "sms":
        return None
    try:
        made = drafts.check(opened.session, draft.text, draft.channel, draft.base, draft.language)
    except CairnError:
        return None
    site: str = current_app.extensions["cairn.settings"].site_url
    return drafts.render(opened.session, made, draft.channel, opened.workspace, site, opened.now)


def _problems(session: Session, draft: Draft) -> list[Problem]:
    try:
        made = drafts.check(session, draft.text, draft.channel, draft.base, draft.language)
    except CairnError as error:
        return [problem_of(error)]
    return in_order(
        Problem("warning", one["line"] or 1, 1, one["message"], (), one.get("hint", "")) for one in made.warnings
    )


def problem_of(error: CairnError, where: str = "") -> Problem:
    """An error as the list of problems shows it."""
    if isinstance(error, LanguageError):
        line, column = (1, 1) if where else (error.line, error.column)
        return Problem("error", line, column, where + error.message, error.expected, error.hint)
    return Problem("error", 1, 1, where + str(error))


def _unnamed(session: Session, slug: str) -> str:
    if not slug:
        return "Give it a name with letters or digits."
    return f"There is already a content called “{slug}”. Choose another name." if queries.by_slug(session, slug) else ""


def _saved(opened: Work, draft: Draft, name: str = "") -> ResponseReturnValue:
    """Make it the current version, and show that; or come back with what is wrong."""
    try:
        number = _save(opened, draft)
    except VariantError as error:
        elsewhere = error.language != draft.language
        where = f"In {error.language or 'the content’s own language'}: " if elsewhere else ""
        return _editor(opened, draft, [problem_of(error, where)], name)
    except CairnError as error:
        return _editor(opened, draft, [problem_of(error)], name)
    flash(f"Saved as version {number}. It is what is sent from now on.", "success")
    new = (
        (draft.copy or draft.channel) if name else None
    )  # the browser then forgets its copy of a text that had no name yet
    return redirect(url_for("pages.content", slug=draft.slug, language=draft.language or None, new=new))


def _removed(opened: Work, draft: Draft) -> ResponseReturnValue:
    """Save the content without one of its languages."""
    try:
        number = _save(opened, replace(draft, text=""))
    except CairnError as error:
        return _editor(opened, draft, [problem_of(error)])
    flash(f"The {draft.language} text is gone with version {number}; older versions keep it.", "success")
    return redirect(url_for("pages.content", slug=draft.slug))


def _save(opened: Work, draft: Draft) -> int:
    """The number of the version, without the draft's language if its text is empty.

    Raises LanguageError and InvalidInput, with nothing saved.
    """
    texts = [row.source for row in rows_of(opened.session, queries.by_slug(opened.session, draft.slug)).values()]
    taken.library(opened.session, [draft.text, *texts])  # before the content: who saves a snippet locks in this order
    rows = rows_of(opened.session, store.locked(opened.session, draft.slug, draft.channel))
    number = rows[DEFAULT].number if rows else 0
    if request.form.get("number", "0") != str(number):
        hint = "Your text is still here: copy it, open the content anew, and put your changes into it."
        raise LanguageError(f"Somebody saved version {number} meanwhile.", hint=hint)
    others = {language: row.source for language, row in rows.items()} | {draft.language: draft.text}
    if draft.language and not draft.text:
        del others[draft.language]
    files, source = _files(), copied(opened.session, draft)
    if source:
        others = source.texts | others
    own, read = others.pop(DEFAULT), _reading(files, source)
    with opened.session.begin_nested():
        saved = store.save(opened.session, own, draft.slug, draft.channel, opened.now, read=read, others=others)
        _named(files, store.rows_of(opened.session, saved.id).values())
    if saved.number != number:
        detail = {"version": saved.number} | ({"language": draft.language} if draft.language else {})
        who, what = signed_in().email, f"content {draft.slug}"
        opened.session.add(AuditLog(actor=who, action="save", object=what, detail=detail, at=opened.now))
    return saved.number


def _files() -> dict[str, bytes]:
    """The attachments that were chosen, by name."""
    return {each.filename: each.read() for each in request.files.getlist("files") if each.filename}


def _reading(files: Mapping[str, bytes], source: Kept | None) -> attachments.Read | None:
    """Attachments that were chosen, else those of the content that this one is a copy of."""
    if source is None:
        return files.get if files else None
    return lambda name: files.get(name) or source.file(name)


def _named(files: Iterable[str], rows: Iterable[ContentVersion]) -> None:
    """Raises LanguageError for a chosen file that the text does not name: it would be lost."""
    named = {name for row in rows for name in row.compiled.get("attachments", ())}
    for name in files:
        if name not in named:
            raise LanguageError(f"The file {name} was chosen, but the text does not name it.", hint="attachments: […]")


def _editor(
    opened: Work, draft: Draft, problems: list[Problem] | None = None, name: str = "", refusal: str = ""
) -> ResponseReturnValue:
    """The page; with problems that are given, or a refusal, it says that nothing was saved."""
    shown = _problems(opened.session, draft) if problems is None else problems
    number = request.form.get("number", draft.number)
    tags = [(tag if place else DEFAULT, tag) for place, tag in enumerate(draft.languages)]
    page = render_template(
        "pages/content_text.html", draft=draft, problems=shown, reads=READS, refused=problems is not None, tags=tags,
        name=name, refusal=refusal, number=number, preview=_text_of(opened, draft), currency=opened.workspace.currency,
    )  # fmt: skip
    return page, 422 if refusal or problems is not None else 200
