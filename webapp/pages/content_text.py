"""Writing a content: its text with the errors at their lines and how it looks, saved as a new version."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import escape
from sqlalchemy.orm import Session

from engine.content import store, taken
from engine.content.variants import DEFAULT, VariantError
from engine.errors import CairnError, LanguageError, NotFound
from engine.model import AuditLog, Content, ContentVersion
from engine.previews import draft as drafts
from journeys.language.problems import Problem, in_order
from webapp.auth.people import signed_in
from webapp.pages.journeys import posted_text
from webapp.pages.mailbox import framed
from webapp.pages.queries import contents as queries
from webapp.pages.segments import slug_of
from webapp.pages.work import Work, work

STARTERS = {
    "email": """---
subject: "{{ first_name }}, welcome"
preheader: "What people read beside the subject"
defaults:
  first_name: there
---
<mjml lang="en">
  <mj-body>
    <mj-section padding="32px">
      <mj-column>
        <mj-text font-size="16px" line-height="26px">
          <p>Hello {{ first_name }},</p>
          <p>write here.</p>
        </mj-text>
        <mj-button href="https://www.example.com">Have a look</mj-button>
      </mj-column>
    </mj-section>
    <mj-section>
      <mj-column>
        <mj-text align="center" font-size="12px" line-height="18px" color="#5b626d">
          <p>{{ workspace.name }}, {{ postal_address }}</p>
          <p><a href="{{ unsubscribe_url }}" style="color:#5b626d">Unsubscribe</a>
            · <a href="{{ preferences_url }}" style="color:#5b626d">Preferences</a></p>
        </mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
""",
    "sms": """---
defaults:
  first_name: there
---
Hello {{ first_name }}, write here.
""",
}
SUBJECT = '<p style="margin:0;padding:12px 16px;background:#fff;color:#111;font:600 15px sans-serif">{}</p>'
TEXT = '<pre style="white-space:pre-wrap;color:#111;font:16px sans-serif">{}</pre>'
READS = "It can be saved. Journeys and campaigns send the newest version from then on."


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that is being written. `number` is the version that its writer began with, 0 for a new content.

    `language` is the variant's, DEFAULT for the content's own; `base` is then the text that it is a variant of.
    """

    slug: str
    channel: str
    text: str
    number: int = 0
    language: str = DEFAULT
    base: str | None = None
    languages: tuple[str, ...] = ()


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/contents/-/new", "content_new", new, methods=["GET", "POST"])
    blueprint.add_url_rule("/contents/<slug>/edit", "content_edit", edit, methods=["GET", "POST"])
    blueprint.add_url_rule("/contents/-/check", "content_check", check, methods=["POST"])
    blueprint.add_url_rule("/contents/-/look", "content_look", look, methods=["POST"])


def new() -> ResponseReturnValue:
    """Write the first version of a content."""
    channel = "sms" if request.values.get("channel") == "sms" else "email"
    with work() as opened:
        if request.method == "GET":
            return _editor(opened, Draft("", channel, STARTERS[channel]))
        name = request.form.get("name", "").strip()
        draft = Draft(slug_of(name), channel, posted_text())
        if refusal := _unnamed(opened.session, draft.slug):
            return _editor(opened, draft, name=name, refusal=refusal)
        return _saved(opened, draft, name)


def edit(slug: str) -> ResponseReturnValue:
    """Write the next version of a content, or of one of its languages."""
    with work() as opened:
        draft = _stored(opened.session, slug, request.values.get("language", ""))
        if request.method == "GET":
            return _editor(opened, draft)
        return _saved(opened, replace(draft, text=posted_text()))


def check() -> ResponseReturnValue:
    """The list of problems of a text that is being written, for htmx."""
    with work() as opened:
        found = _problems(opened.session, _posted(opened.session))
    return render_template("pages/parts/problems.html", problems=found, reads=READS)


def look() -> Response:
    """How the text looks with sample values, for a sandboxed frame."""
    with work() as opened:
        draft = _posted(opened.session)
        try:
            made = drafts.check(opened.session, draft.text, draft.channel, draft.base, draft.language)
        except CairnError:
            return framed("<p>There is nothing to see before the errors are corrected.</p>")
        site: str = current_app.extensions["cairn.settings"].site_url
        shown = drafts.render(opened.session, made, draft.channel, opened.workspace, site, opened.now)
    if shown.error:
        return framed(f"<p>{escape(shown.error)}</p>")
    return framed(SUBJECT.format(escape(shown.subject)) + shown.html if shown.html else TEXT.format(escape(shown.text)))


def _posted(session: Session) -> Draft:
    """What stands in the editor."""
    slug, text = request.form.get("slug", ""), posted_text()
    if not slug:
        return Draft("", "sms" if request.form.get("channel") == "sms" else "email", text)
    return replace(_stored(session, slug, request.form.get("language", "")), text=text)


def _stored(session: Session, slug: str, language: str) -> Draft:
    """The content as it is saved, in a language or in its default one. Raises NotFound."""
    found = queries.by_slug(session, slug.replace("\0", ""))
    if found is None:
        raise NotFound("content", slug)
    rows = _rows(session, found)
    if not rows:
        return Draft(slug, found.channel, STARTERS[found.channel])
    own = rows[DEFAULT]
    key = language if language in rows else DEFAULT
    languages = tuple(row.language for row in rows.values()) if len(rows) > 1 else ()
    base = own.source if key != DEFAULT else None
    return Draft(slug, found.channel, rows[key].source, own.number, key, base, languages)


def _rows(session: Session, content: Content | None) -> dict[str, ContentVersion]:
    """The current version by language; none without one."""
    return store.rows_of(session, content.current_version_id) if content and content.current_version_id else {}


def _problems(session: Session, draft: Draft) -> list[Problem]:
    try:
        made = drafts.check(session, draft.text, draft.channel, draft.base, draft.language)
    except CairnError as error:
        return [_problem(error)]
    return in_order(
        Problem("warning", one["line"] or 1, 1, one["message"], (), one.get("hint", "")) for one in made.warnings
    )


def _problem(error: CairnError, where: str = "") -> Problem:
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
        return _editor(opened, draft, [_problem(error, where)], name)
    except CairnError as error:
        return _editor(opened, draft, [_problem(error)], name)
    flash(f"Saved as version {number}. It is what is sent from now on.", "success")
    new = draft.channel if name else None  # the browser then forgets its copy of a text that had no name yet
    return redirect(url_for("pages.content", slug=draft.slug, language=draft.language or None, new=new))


def _save(opened: Work, draft: Draft) -> int:
    """The number of the version. Raises LanguageError and InvalidInput, with nothing saved."""
    texts = [row.source for row in _rows(opened.session, queries.by_slug(opened.session, draft.slug)).values()]
    taken.library(opened.session, [draft.text, *texts])  # before the content: who saves a snippet locks in this order
    rows = _rows(opened.session, store.locked(opened.session, draft.slug, draft.channel))
    number = rows[DEFAULT].number if rows else 0
    if request.form.get("number", "0") != str(number):
        hint = "Your text is still here: copy it, open the content anew, and put your changes into it."
        raise LanguageError(f"Somebody saved version {number} meanwhile.", hint=hint)
    others = {language: row.source for language, row in rows.items()} | {draft.language: draft.text}
    own = others.pop(DEFAULT)
    saved = store.save(opened.session, own, draft.slug, draft.channel, opened.now, others=others)
    if saved.number != number:
        detail = {"version": saved.number} | ({"language": draft.language} if draft.language else {})
        who, what = signed_in().email, f"content {draft.slug}"
        opened.session.add(AuditLog(actor=who, action="save", object=what, detail=detail, at=opened.now))
    return saved.number


def _editor(
    opened: Work, draft: Draft, problems: list[Problem] | None = None, name: str = "", refusal: str = ""
) -> ResponseReturnValue:
    """The page; with problems that are given, or a refusal, it says that nothing was saved."""
    shown = _problems(opened.session, draft) if problems is None else problems
    number = request.form.get("number", draft.number)
    page = render_template(
        "pages/content_text.html", draft=draft, problems=shown, reads=READS, refused=problems is not None,
        name=name, refusal=refusal, number=number,
    )  # fmt: skip
    return page, 422 if refusal or problems is not None else 200
