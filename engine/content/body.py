"""The author's body as one HTML document with placeholders for its Jinja tags."""

from __future__ import annotations

import re

import mjml

from engine.content.lint import lint
from engine.content.source import Text
from engine.content.tags import Swap, Tag, new_swap, scan
from engine.errors import LanguageError
from engine.translation.matching import direction

comment = re.compile(r"<!--(?!\[if|<!\[endif).*?-->", re.DOTALL)
position = re.compile(r"position (\d+):(\d+)")
bare_root = re.compile(r"(<html\b)(?![^>]*\slang\s*=)", re.IGNORECASE)
# What MJML writes from left to right unless it is told otherwise. What the author says of a component goes before it.
to_the_left = (
    '<mj-attributes><mj-section direction="rtl"/><mj-column direction="rtl"/><mj-text align="right"/>'
    '<mj-table align="right"/></mj-attributes>'
)
empty_head = re.compile(r"<mj-head\b[^>]*/>")
page = (
    '<!doctype html><html lang="{}" dir="{}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head><body>{}</body></html>'
)


def is_mjml(text: str) -> bool:
    """Does the body hold MJML, rather than plain HTML?"""
    return "<mjml" in text or re.search(r"<mj-\w", text) is not None


def without_comments(source: Text) -> Text:
    """The body with the author's comments blanked: what they hold is not sent, and lines stay where they are."""
    return Text(comment.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source.text), source.line)


def document(source: Text, language: str = "") -> tuple[str, Swap]:
    """The whole HTML page in a language, with placeholders, and the tags behind them. Raises LanguageError."""
    tags = scan(source.text, source.line)
    swap = new_swap(source.text)
    if is_mjml(source.text):
        return spoken(from_mjml(source, tags, swap, language), language), swap
    text = swapped(source.text, tags, ["content"] * len(tags), swap)
    if re.search(r"<body\b", text, re.IGNORECASE):
        return spoken(text, language), swap
    return page.format(language or "en", direction(language), text), swap


def spoken(page: str, language: str) -> str:
    """The page with its language and its direction where the author does not say them; MJML leaves them open."""
    if not language:
        return page
    said = f'lang="{language}" dir="{direction(language)}"'
    page = page.replace('lang="und" dir="auto"', said).replace(f'lang="{language}" dir="auto"', said)
    return bare_root.sub(rf"\1 {said}", page, count=1)


def swapped(text: str, tags: list[Tag], kinds: list[str], swap: Swap) -> str:
    """`text` with placeholders; between components a placeholder stands in a comment, which MJML keeps in place."""
    pieces, last = [], 0
    for tag, kind in zip(tags, kinds, strict=True):
        note = tag.kind == "{#"
        name = "\n" * tag.text.count("\n") if note else swap.add(tag)
        pieces += [text[last : tag.start], f"<!--{name}-->" if kind == "structure" and not note else name]
        last = tag.end
    return "".join(pieces) + text[last:]


def from_mjml(source: Text, tags: list[Tag], swap: Swap, language: str = "") -> str:
    """MJML compiled to HTML in a language, every placeholder accounted for. Raises LanguageError."""
    kinds = lint(source, tags)
    text = swapped(source.text, tags, kinds, swap)
    begin, end = text.find("<mjml"), text.rfind("</mjml>")
    if begin < 0 or end < 0:
        raise LanguageError("The body has no <mjml> around it.", source.line, hint="<mjml><mj-body>…</mj-body></mjml>")
    before, after = text[:begin], text[end + len("</mjml>") :]
    if swap.pattern.sub("", before + after).strip():
        raise LanguageError("Text cannot stand outside of <mjml>.", source.line)
    try:
        # Without fonts of its own mrml links those that it knows by name, and readers' programs would ask Google.
        compiled = mjml.mjml2html(directed(text[begin : end + len("</mjml>")], language), fonts={})
    except (ValueError, OSError) as error:
        raise mjml_error(str(error), text[begin:], swap, source.line + text.count("\n", 0, begin)) from error
    page = "".join(swap.pattern.findall(before)) + compiled + "".join(swap.pattern.findall(after))
    page = re.sub(rf"<!--({swap.pattern.pattern})-->", r"\1", page)
    account(page, swap)
    return page


def directed(text: str, language: str) -> str:
    """MJML that runs from right to left if its language does; lines stay where they are."""
    if direction(language) != "rtl":
        return text
    if empty_head.search(text):
        return empty_head.sub(f"<mj-head>{to_the_left}</mj-head>", text, count=1)
    if "<mj-head" in text:
        return re.sub(r"<mj-head\b[^>]*>", lambda head: head[0] + to_the_left, text, count=1)
    return re.sub(r"<mjml\b[^>]*>", lambda root: f"{root[0]}<mj-head>{to_the_left}</mj-head>", text, count=1)


def mjml_error(message: str, text: str, swap: Swap, line: int) -> LanguageError:
    """What mrml says of `text`, which begins on `line`, at the author's line as far as it names a place."""
    match = position.search(message)
    before = swap.back(text.encode()[: int(match[1])].decode("utf-8", "ignore")) if match else ""
    return LanguageError(
        f"The MJML does not compile: {message}.", line + before.count("\n"), hint="check quotes and closing tags"
    )


def account(page: str, swap: Swap) -> None:
    """Every tag must have come through MJML, statements once only. Raises LanguageError."""
    for name, tag in swap.tags.items():
        count = page.count(name)
        if count == 0:
            hint = "use it in text, in href, src or a colour"
            raise LanguageError("MJML cannot take a Jinja tag here.", tag.line, tag.column, hint=hint)
