"""A content file becomes a JSON-serialisable artefact that `engine.rendering` loads and renders."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from engine.content import advice, analysis, authors, conditions, footer, snippets, text_links
from engine.content.body import document, without_comments
from engine.content.links import rewrite
from engine.content.plaintext import derive
from engine.content.source import Source, Text, parse
from engine.content.tags import Swap, new_swap, scan
from engine.errors import InvalidInput, LanguageError
from engine.rendering import honeypot, utm

format_version = 1
body_end = re.compile(r"</body\s*>", re.IGNORECASE)
body_begin = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
pixel = (
    '{% if cairn_open %}<img src="{{ cairn_open }}" width="1" height="1" alt="" style="display:block;border:0;">'
    "{% endif %}"
)
preheader_block = (
    '<div style="display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;'
    'mso-hide:all;">'
    "{}" + "&#8199;&#847; " * 40 + "</div>"
)
html_warning = 102_000


@dataclass(frozen=True)
class Compiled:
    """`data` is the artefact, JSON-serialisable; `warnings` are dicts with kind, line, message and hint."""

    data: dict[str, Any]
    warnings: list[dict[str, Any]]


def compile_source(
    text: str,
    channel: str,
    known: frozenset[str] | None = None,
    base: str | None = None,
    language: str = "",
    library: snippets.Library | None = None,
) -> Compiled:
    """Compile a content file for `email` or `sms`, or the variant of `base`, another file, in `language`.

    Its snippets are taken from the `library`.

    `known` are the dotted paths of contact attributes and event properties (`event.total`); with None no variable is
    called unknown. Raises LanguageError at the author's line, InvalidInput for an unknown channel. A template is not
    run here, but its size is the author's: call `engine.content.check.compile_safely` for texts from outside.
    """
    if channel not in {"email", "sms"}:
        raise InvalidInput(f"“{channel}” is no channel.", "channel", "Use email or sms.")
    source = parse(text, channel, parse(base, channel) if base is not None else None)
    source = spoken(source, language)
    source, found = with_snippets(source, channel, library or {})
    try:
        made = compile_email(source, known) if channel == "email" else compile_sms(source, known)
    except LanguageError as error:
        if error.line in found.lines:
            error.hint = f"{error.hint}; the snippet “{found.lines[error.line]}” stands there".lstrip("; ")
        raise
    return Compiled(made.data | {"snippets": found.used}, made.warnings + found.warnings)


def with_snippets(source: Source, channel: str, library: snippets.Library) -> tuple[Source, snippets.Expanded]:
    """The source with the text of its snippets, and what was taken. Raises LanguageError."""
    kinds = {"body": channel, "subject": snippets.LINE, "preheader": snippets.LINE, "text": "sms"}
    taken = snippets.Expanded(source.body)
    parts: dict[str, Any] = {}
    for name, kind in kinds.items():
        written: Text | None = getattr(source, name)
        if written is None:
            continue
        one = snippets.expand(written, kind, source.language, library)
        parts[name] = one.text
        taken.used |= one.used
        taken.lines |= one.lines
        taken.warnings += one.warnings
    return replace(source, **parts), taken


def spoken(source: Source, language: str) -> Source:
    """The source in its language: that of its name, which its front matter may repeat. Raises LanguageError."""
    if language and source.language not in ("", language):
        message = f"This is the {language} variant, but its front matter says language: {source.language}."
        raise LanguageError(message, hint="leave language: out, or give the file another name")
    return replace(source, language=language or source.language)


def read_templates(templates: list[tuple[Text, bool]]) -> list[analysis.Variable]:
    """Check templates (text, is it HTML) and give the variables they read. Raises LanguageError."""
    found: list[analysis.Variable] = []
    for source, html in templates:
        found += analysis.variables(analysis.parse(source, html=html), source)
    return found


def compile_sms(source: Source, known: frozenset[str] | None) -> Compiled:
    """An SMS: one template."""
    source, apart = conditions.taken(source, markup=False)
    found = read_templates([(source.body, False)])
    tags = utm.query(source.utm)
    text, links = text_links.rewrite(source.body.text, tags) if source.tracking else (source.body.text, [])
    data = {
        "format": format_version,
        "channel": "sms",
        "language": source.language,
        "text": text.strip(),
        "defaults": source.defaults,
        "html_fields": [],
        "links": [link.as_json() for link in links],
        "tracking": source.tracking,
        **names_of(found, apart, source.defaults),
    }
    return Compiled(data, analysis.warn(found, source.defaults, known))


def names_of(found: list[analysis.Variable], apart: conditions.Taken, defaults: dict[str, Any]) -> dict[str, Any]:
    """`variables`: the paths read; `uncovered`: those of them that show as nothing where they are missing; `names`:
    their roots, which the renderer takes from the context; what was apart."""
    paths = sorted({variable.path for variable in found})
    names = {path.split(".")[0] for path in paths} | set(apart.names())
    bare = analysis.uncovered(found, defaults)
    return {"variables": paths, "uncovered": bare, "names": sorted(names), **apart.as_json()}


def resolved(source: Text) -> Text:
    """The body as Jinja shall see it: entities inside tags resolved, all else on its line."""
    swap = new_swap(source.text)
    pieces, last = [], 0
    for tag in scan(source.text, source.line):
        pieces += [source.text[last : tag.start], swap.add(tag)]
        last = tag.end
    return Text(swap.back("".join(pieces) + source.text[last:]), source.line)


def compile_email(source: Source, known: frozenset[str] | None) -> Compiled:
    """An email: subject, HTML and text, links and pixel."""
    written = " ".join(source.subject.text.split())
    source, apart = conditions.taken(replace(source, body=without_comments(source.body)), markup=True)
    body = source.body
    templates = [(resolved(body), True), (source.subject, False), (source.preheader, True)]
    templates += [(source.text, False)] if source.text else []
    found = read_templates(templates)
    page, swap = document(body, source.language)
    has_unsubscribe = any("unsubscribe_url" in tag.text for tag in swap.tags.values())
    page = with_preheader(page, source.preheader, swap)
    page, links = rewrite(page, swap, tracking=source.tracking, tags=utm.query(source.utm))
    text = swap.back(derive(page, swap)) if source.text is None else source.text.text.strip("\n") + "\n"
    html = finished(swap.back(page), source, add_footer=not has_unsubscribe)
    tail = footer.text(source.language) if "unsubscribe_url" not in text else ""
    for template, as_html in ((html, True), (text, False)):
        recheck(template, source, html=as_html)
    data = {
        "format": format_version,
        "channel": "email",
        "language": source.language,
        "subject": " ".join(source.subject.text.split()),
        "written": written,
        "preheader": source.preheader.text,
        "html": html,
        "text": text,
        "text_tail": tail,
        "links": [link.as_json() for link in links],
        "defaults": source.defaults,
        "html_fields": list(source.html_fields),
        "from": authors.sender(source.sender),
        "identity": source.sender if authors.identity_name(source.sender) else "",
        "reply_to": source.reply_to,
        "tracking": source.tracking,
        "honeypot": source.tracking,
        "utm": utm.query(source.utm),
        "attachments": list(source.attachments),
        **names_of(found, apart, source.defaults),
    }
    warnings = analysis.warn(found, source.defaults, known)
    warnings += page_warnings(html, added=not has_unsubscribe)
    return Compiled(data, warnings + advice.advise(source, body, html, text))


def recheck(template: str, source: Source, *, html: bool) -> None:
    """The finished templates must still read: MJML may have moved a tag out of its block. Raises LanguageError."""
    from engine.rendering.environment import environment

    try:
        environment(html=html).parse(template)
    except Exception as error:
        hint = "keep each {% if %} and its {% endif %} side by side around whole sections or columns"
        raise LanguageError(
            f"The Jinja blocks and the MJML do not fit together: {error}", source.body.line, hint=hint
        ) from error


def with_preheader(page: str, preheader: Text, swap: Swap) -> str:
    """The page with its preview text, hidden, first in the body."""
    if not preheader.text.strip():
        return page
    pieces, last = [], 0
    for tag in scan(preheader.text, preheader.line):
        pieces += [escaped(preheader.text[last : tag.start]), swap.put(tag)]
        last = tag.end
    block = preheader_block.replace("{}", "".join(pieces) + escaped(preheader.text[last:]))
    return body_begin.sub(lambda match: match[0] + block, page, count=1)


def escaped(text: str) -> str:
    """Text for HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def finished(page: str, source: Source, *, add_footer: bool) -> str:
    """The page with the standard footer, the pixel and the honeypot before its end."""
    end = footer.html(source.language) if add_footer else ""
    end += pixel + honeypot.snippet if source.tracking else ""
    places = list(body_end.finditer(page))
    position = places[-1].start() if places else len(page)
    return page[:position] + end + page[position:]


def page_warnings(html: str, *, added: bool) -> list[dict[str, Any]]:
    """What is right but unwise about the page."""
    notes = []
    if len(html.encode()) > html_warning:
        message = f"The HTML is {len(html.encode()) // 1000} kB; Gmail hides what is past 102 kB."
        notes.append({"kind": "size", "line": 1, "message": message, "hint": "shorten it, or use fewer sections"})
    if added:
        message = "The body has no unsubscribe link; the standard footer was added."
        notes.append({"kind": "footer", "line": 1, "message": message, "hint": 'href="{{ unsubscribe_url }}"'})
    return notes
