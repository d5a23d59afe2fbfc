"""Writing a snippet: its text with the errors at their lines and how it looks; saving it compiles its contents anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import escape
from sqlalchemy.orm import Session

from engine.content import replacing, snippets, taken
from engine.content.snippets import Snippet
from engine.content.variants import DEFAULT, VariantError
from engine.errors import CairnError, InvalidInput, LanguageError, NotFound
from engine.model import AuditLog
from engine.previews import look as looks
from engine.previews import piece
from engine.translation import matching
from journeys.language.problems import Problem, in_order
from webapp.auth.people import signed_in
from webapp.pages.content_draft import own_language
from webapp.pages.content_look import NOTE, TEXT
from webapp.pages.content_text import problem_of
from webapp.pages.journeys import posted_text
from webapp.pages.mailbox import framed
from webapp.pages.segments import slug_of
from webapp.pages.work import Work, work

STARTERS = {
    "email": """---
language: en
params: {to: , label: Have a look}
---
<mj-button href="{{ param.to }}">{{ param.label }}</mj-button>
""",
    "sms": "---\nlanguage: en\n---\nSee you soon, the team\n",
}
READS = "It can be saved. The contents that hold it are sent with the new text from then on."


@dataclass(frozen=True, slots=True)
class Draft:
    """A snippet that is being written. `texts` are its files by language, among them `text` in `language`.

    `number` is the version that its writer began with, 0 for a new one.
    """

    slug: str
    kind: str
    texts: Mapping[str, str]
    language: str = DEFAULT
    number: int = 0
    adding: bool = False

    @property
    def text(self) -> str:
        """What is being written."""
        return self.texts[self.language]

    def written(self, text: str) -> Draft:
        """With another text."""
        return replace(self, texts={**self.texts, self.language: text})


def routes(blueprint: Blueprint) -> None:
    """Addresses of this screen."""
    blueprint.add_url_rule("/snippets/-/new", "snippet_new", new, methods=["GET", "POST"])
    blueprint.add_url_rule("/snippets/<slug>/edit", "snippet_edit", edit, methods=["GET", "POST"])
    blueprint.add_url_rule("/snippets/<slug>/delete", "snippet_delete", delete, methods=["POST"])
    blueprint.add_url_rule("/snippets/-/check", "snippet_check", check, methods=["POST"])
    blueprint.add_url_rule("/snippets/-/look", "snippet_look", look, methods=["POST"])


def new() -> ResponseReturnValue:
    """Write the first version of a snippet."""
    with work() as opened:
        draft = _blank()
        if request.method == "GET":
            return _editor(opened, draft)
        name = request.form.get("name", "").replace("\0", "").strip()[:120]
        draft = replace(draft, slug=slug_of(name)).written(posted_text())
        if refusal := _unnamed(opened.session, draft.slug):
            return _editor(opened, draft, name=name, refusal=refusal)
        return _saved(opened, draft, name)


def edit(slug: str) -> ResponseReturnValue:
    """Write the next version of a snippet, or of one of its languages."""
    with work() as opened:
        try:
            draft = _stored(opened.session, slug)
        except InvalidInput as error:
            flash(str(error), "warning")
            return redirect(url_for("pages.snippet", slug=slug))
        if request.method == "GET":
            return _editor(opened, draft)
        return _saved(opened, draft.written(posted_text()))


def delete(slug: str) -> ResponseReturnValue:
    """Forget it, unless somebody holds it."""
    try:
        with work() as opened:
            replacing.delete(opened.session, slug)
            _note(opened, "delete", slug, {})
    except InvalidInput as error:
        flash(str(error), "warning")
        return redirect(url_for("pages.snippet", slug=slug))
    flash(f"The snippet {slug} is deleted.", "success")
    return redirect(url_for("pages.snippets"))


def check() -> ResponseReturnValue:
    """The list of problems of a text that is being written, for htmx."""
    with work() as opened:
        found = _problems(opened.session, _posted(opened.session))
    return render_template("pages/parts/problems.html", problems=found, reads=READS)


def look() -> Response:
    """How it looks with sample values, for a sandboxed frame."""
    with work() as opened:
        try:
            draft = _posted(opened.session)
            snippet = Snippet(draft.kind, draft.number, draft.texts)
            replacing.tried(opened.session, snippet, draft.slug)
        except CairnError:
            return framed(NOTE.format("There is nothing to see before the errors are corrected."))
        listed = taken.Listed(draft.slug, draft.kind, draft.number, opened.now, [])
        site = current_app.extensions["cairn.settings"].site_url
        shown = piece.preview(opened.session, listed, snippet, draft.language, opened.workspace, site, opened.now)
    if shown.error:
        return framed(NOTE.format(escape(shown.error)))
    if draft.kind == "sms" or request.form.get("view") == "text":
        return framed(TEXT.format(escape(shown.text)))
    return framed(looks.dark(shown.html) if request.form.get("view") == "dark" else shown.html)


def _blank() -> Draft:
    kind = "sms" if request.values.get("kind") == "sms" else "email"
    return Draft("", kind, {DEFAULT: STARTERS[kind]})


def _posted(session: Session) -> Draft:
    """What stands in the editor. Raises NotFound, InvalidInput."""
    slug = request.form.get("slug", "")
    return (_stored(session, slug) if slug else _blank()).written(posted_text())


def _stored(session: Session, slug: str) -> Draft:
    """The snippet as it is saved, in the language that is asked for. Raises NotFound, InvalidInput."""
    listed, found = taken.find(session, slug)
    asked = request.values.get("language", "").strip()
    draft = Draft(listed.slug, found.kind, found.texts, asked if asked in found.texts else DEFAULT, found.number)
    if not asked or asked in found.texts or request.values.get("adding") != "1":
        return draft
    tag = matching.canonical(asked)
    if tag is None:
        raise InvalidInput(f"“{asked[:40]}” is no language", hint="Write de, or pt-BR.")
    text = own_language.sub("", found.texts[DEFAULT], count=1)
    return replace(draft, language=tag, adding=True).written(text)


def _unnamed(session: Session, slug: str) -> str:
    if not slug:
        return "Give it a name with letters or digits."
    try:
        taken.find(session, slug)
    except NotFound:
        return ""
    return f"There is already a snippet called “{slug}”. Choose another name."


def _problems(session: Session, draft: Draft) -> list[Problem]:
    try:
        found = replacing.tried(session, Snippet(draft.kind, draft.number, draft.texts), draft.slug)
    except CairnError as error:
        return [_problem(error, draft)]
    own = [each for language, each in found if language == draft.language]
    return in_order(Problem("warning", each["line"], 1, each["message"], (), each.get("hint", "")) for each in own)


def _problem(error: CairnError, draft: Draft) -> Problem:
    if isinstance(error, VariantError) and error.language != draft.language:
        return problem_of(error, f"In {error.language or 'the first language'}: ")
    return problem_of(error)


def _saved(opened: Work, draft: Draft, name: str = "") -> ResponseReturnValue:
    """Make it the current version, and show that; or come back with what is wrong."""
    try:
        saved = _save(opened, draft)
    except CairnError as error:
        return _editor(opened, draft, [_problem(error, draft)], name)
    told = f" Contents sent with it from now on: {len(saved.contents)}." if saved.contents else ""
    flash(f"Saved as version {saved.number}.{told}", "success")
    new = draft.kind if name else None  # the browser then forgets its copy of a text that had no name yet
    return redirect(url_for("pages.snippet", slug=draft.slug, language=draft.language or None, new=new))


def _save(opened: Work, draft: Draft) -> replacing.Saved:
    """Raises LanguageError and InvalidInput, with nothing saved."""
    if request.form.get("number", "0") != str(draft.number):
        hint = "Your text is still here: copy it, open the snippet anew, and put your changes into it."
        raise LanguageError(f"Somebody saved version {draft.number} meanwhile.", hint=hint)
    with opened.session.begin_nested():
        saved = replacing.save(opened.session, draft.texts, draft.slug, draft.kind, opened.now)
    if saved.number != draft.number:
        _note(opened, "save", draft.slug, {"version": saved.number})
    return saved


def _note(opened: Work, action: str, slug: str, detail: dict[str, int]) -> None:
    what = f"snippet {slug}"
    opened.session.add(AuditLog(actor=signed_in().email, action=action, object=what, detail=detail, at=opened.now))


def _editor(
    opened: Work, draft: Draft, problems: list[Problem] | None = None, name: str = "", refusal: str = ""
) -> ResponseReturnValue:
    """The page; with problems that are given, or a refusal, it says that nothing was saved."""
    shown = _problems(opened.session, draft) if problems is None else problems
    users = taken.users(opened.session, draft.slug) if draft.number else []
    page = render_template(
        "pages/snippet_text.html", draft=draft, problems=shown, reads=READS, refused=problems is not None, name=name,
        refusal=refusal, number=request.form.get("number", draft.number), users=users,
        tags=_tags(draft),
    )  # fmt: skip
    return page, 422 if refusal or problems is not None else 200


def _tags(draft: Draft) -> list[tuple[str, str]]:
    """(language, what it is called) of the saved texts; none where there is one alone."""
    saved = [tag for tag in draft.texts if tag and not (draft.adding and tag == draft.language)]
    first = snippets.read(draft.texts[DEFAULT]).language if saved else ""
    return [(DEFAULT, first or "default"), *((tag, tag) for tag in saved)] if saved else []
