"""Content files: YAML front matter between two `---` lines, then the body. Every part keeps its line in the file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from keyword import iskeyword
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarstring import FoldedScalarString, LiteralScalarString

from engine.content import attachments, authors
from engine.errors import LanguageError
from engine.rendering import utm
from engine.translation import matching

unstorable_signs = re.compile("[\x00\ud800-\udfff]")
max_source = 400_000
email_keys = (
    "subject",
    "preheader",
    "text",
    "defaults",
    "html",
    "from",
    "reply_to",
    "tracking",
    "utm",
    "attachments",
    "language",
    "title",
    "description",
)
sms_keys = ("defaults", "tracking", "utm", "language", "title", "description")
snippet_keys = ("params", "language", "title", "description")
# What a variant has of the content that it is a variant of, where its own front matter is silent.
inherited = {
    "html": "html_fields",
    "from": "sender",
    "reply_to": "reply_to",
    "tracking": "tracking",
    "utm": "utm",
    "attachments": "attachments",
    "title": "title",
}


@dataclass(frozen=True)
class Text:
    """A piece of the file and the line, from 1, on which it begins."""

    text: str
    line: int


@dataclass(frozen=True)
class Source:
    """A content file, read but not compiled."""

    body: Text
    subject: Text = Text("", 1)
    preheader: Text = Text("", 1)
    text: Text | None = None
    defaults: dict[str, Any] = field(default_factory=dict)
    html_fields: tuple[str, ...] = ()
    sender: str = ""
    reply_to: str = ""
    tracking: bool = True
    utm: dict[str, str] = field(default_factory=dict)
    attachments: tuple[str, ...] = ()
    title: str = ""
    language: str = ""


def parse(text: str, channel: str, base: Source | None = None) -> Source:
    """Read a content file for `email` or `sms`, or a variant of `base`. Raises LanguageError with the author's line."""
    text = readable(text)
    front, body = split(text)
    values = read_front(front, email_keys if channel == "email" else sms_keys)
    if not body.text.strip():
        raise LanguageError("The content has no body.", body.line, hint="write it after the second ---")
    own = build(values, body, channel)
    return own if base is None else variant(own, base, values)


def parse_snippet(text: str) -> tuple[Text, dict[str, Any], str]:
    """Body, parameters with their defaults (None without), and language of a snippet's file. Raises LanguageError."""
    front, body = split(readable(text))
    values = read_front(front, snippet_keys)
    if not body.text.strip():
        raise LanguageError("The snippet has no text.", body.line, hint="write it after the second ---")
    params = values.get("params") or {}
    names = isinstance(params, dict) and all(
        isinstance(key, str) and key.isidentifier() and not iskeyword(key) for key in params
    )
    if not names or any(isinstance(each, (dict, list)) for each in params.values()):
        hint = 'params: {colour: "#333", title: } gives colour a default; title must be given'
        raise LanguageError("params maps names to their defaults.", line_of(values, "params"), hint=hint)
    return body, dict(params), read_language(values)


def variant(own: Source, base: Source, values: CommentedMap) -> Source:
    """A variant with what it takes over: everything but words."""
    taken = {name: getattr(base, name) for key, name in inherited.items() if key not in values}
    return replace(own, **taken, defaults=base.defaults | own.defaults)


def readable(text: str) -> str:
    """The text of a file as it can be read and stored. Raises LanguageError."""
    if len(text) > max_source:
        raise LanguageError(f"The file is longer than {max_source:,} characters.")
    if "\x00" in text:
        raise LanguageError(
            "The file holds NUL characters: it is not text.", text.count("\n", 0, text.index("\x00")) + 1
        )
    if unstorable(text):
        raise LanguageError("The file holds broken characters (lone surrogates).", hint="save it as UTF-8")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def split(text: str) -> tuple[Text, Text]:
    """Front matter and body. A file without front matter is all body. Raises LanguageError if it never ends."""
    if not text.startswith("---\n"):
        return Text("", 1), Text(text, 1)
    lines = text.split("\n")
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        raise LanguageError("The front matter has no end.", 1, expected=("---",))
    return Text("\n".join(lines[1:end]), 2), Text("\n".join(lines[end + 1 :]), end + 2)


def read_front(front: Text, keys: tuple[str, ...]) -> CommentedMap:
    """The front matter as a mapping with positions. Raises LanguageError."""
    try:
        values = YAML(typ="rt").load(front.text) if front.text.strip() else CommentedMap()
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + front.line, mark.column + 1) if mark else (front.line, 1)
        hint = 'put quotes around a value that begins with {{ or holds ": " or " #"'
        raise LanguageError(f"The front matter is no YAML: {error.problem}.", line, column, hint=hint) from error
    except YAMLError as error:
        raise LanguageError(f"The front matter is no YAML: {error}.", front.line) from error
    if not isinstance(values, CommentedMap):
        raise LanguageError("The front matter is not a list of keys and values.", front.line, expected=("subject: …",))
    for key in values:
        if key not in keys:
            near = get_close_matches(str(key), keys, 1)
            hint = f"Did you mean `{near[0]}`?" if near else ""
            raise LanguageError(f"“{key}” is no key of a content.", line_of(values, key), 1, keys, hint)
    return values


def unstorable(text: str) -> bool:
    """NUL and lone surrogates: no database and no mail takes them."""
    return unstorable_signs.search(text) is not None


def line_of(values: CommentedMap, key: Any) -> int:
    """The line of a key in the file; front matter begins on line 2."""
    return int(values.lc.key(key)[0]) + 2


def build(values: CommentedMap, body: Text, channel: str) -> Source:
    """A Source from checked keys. Raises LanguageError for a value of the wrong kind."""
    subject = front_text(values, "subject")
    if channel == "email" and (subject is None or not subject.text.strip()):
        line = subject.line if subject else 1
        raise LanguageError(
            "An email needs a subject.", line, expected=("subject: …",), hint="add it to the front matter"
        )
    tracking = values.get("tracking", channel == "email")
    if not isinstance(tracking, bool):
        raise LanguageError("tracking is true or false.", line_of(values, "tracking"), expected=("true", "false"))
    return Source(
        body=body,
        subject=subject or Text("", 1),
        preheader=front_text(values, "preheader") or Text("", 1),
        text=front_text(values, "text"),
        defaults=read_defaults(values),
        html_fields=read_names(values, "html"),
        sender=author(values, "from"),
        reply_to=author(values, "reply_to"),
        tracking=tracking,
        utm=read_utm(values),
        attachments=read_attachments(values),
        title=plain(values, "title"),
        language=read_language(values),
    )


def read_language(values: CommentedMap) -> str:
    """`language: pt-BR`, as BCP 47 writes it; empty without. Raises LanguageError."""
    given = values.get("language")
    if given is None:
        return ""
    found = matching.canonical(given) if isinstance(given, str) else None
    if found is None:
        hint = "language: de, or language: pt-BR"
        raise LanguageError("language is the tag of a language.", line_of(values, "language"), hint=hint)
    return found


def read_utm(values: CommentedMap) -> dict[str, str]:
    """Tags for links, such as `utm: {source: newsletter, medium: email}`. Raises LanguageError."""
    given = values.get("utm") or {}
    known = isinstance(given, dict) and all(key in utm.KEYS and isinstance(given[key], str | int) for key in given)
    if not known:
        message = "utm names tags for links, each with a text."
        raise LanguageError(message, line_of(values, "utm"), expected=tuple(f"{key}: …" for key in utm.KEYS))
    return {key: str(value) for key, value in given.items()}


def read_attachments(values: CommentedMap) -> tuple[str, ...]:
    """`attachments: [terms.pdf]`: names of files in the content's folder. Raises LanguageError."""
    given = values.get("attachments")
    if given is None:
        return ()
    line = line_of(values, "attachments")
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given) or len(set(given)) < len(given):
        raise LanguageError("attachments is a list of different files.", line, hint="attachments: [terms.pdf]")
    return tuple(attachments.checked(str(name), line) for name in given)


def front_text(values: CommentedMap, key: str) -> Text | None:
    """A text of the front matter with its first line; a block scalar begins a line below its key."""
    value = values.get(key)
    if value is None:
        return None
    if isinstance(value, (dict, list, bool)):
        raise LanguageError(f"{key} is a text.", line_of(values, key))
    if unstorable(str(value)):
        raise LanguageError(f"{key} holds a NUL or a broken character.", line_of(values, key))
    block = isinstance(value, (LiteralScalarString, FoldedScalarString))
    return Text(str(value), line_of(values, key) + block)


def plain(values: CommentedMap, key: str) -> str:
    """A one-line text without merge fields."""
    found = front_text(values, key)
    return " ".join(found.text.split()) if found else ""


def author(values: CommentedMap, key: str) -> str:
    """Who is named under this key. Raises LanguageError."""
    given = plain(values, key)
    return authors.check(given, key, line_of(values, key)) if given else ""


def read_defaults(values: CommentedMap) -> dict[str, Any]:
    """`defaults:` as dotted paths and plain values; nested mappings are flattened."""
    given = values.get("defaults")
    if given is None:
        return {}
    if not isinstance(given, CommentedMap):
        hint = "defaults: {first_name: there}"
        raise LanguageError("defaults maps variables to values.", line_of(values, "defaults"), hint=hint)
    flat: dict[str, Any] = {}
    for path, value in flattened(given, ""):
        if not isinstance(value, (str, int, float, bool)):
            raise LanguageError(f"The default of {path} is not a text or a number.", line_of(values, "defaults"))
        if unstorable(f"{path}{value}"):
            raise LanguageError(f"The default of {path} holds a broken character.", line_of(values, "defaults"))
        flat[path] = str(value) if isinstance(value, str) else value
    return flat


def flattened(values: CommentedMap, prefix: str) -> list[tuple[str, Any]]:
    """`{a: {b: 1}}` as `[("a.b", 1)]`."""
    pairs: list[tuple[str, Any]] = []
    for key, value in values.items():
        path = f"{prefix}{key}"
        pairs += flattened(value, path + ".") if isinstance(value, CommentedMap) else [(path, value)]
    return pairs


def read_names(values: CommentedMap, key: str) -> tuple[str, ...]:
    """A list of variable names."""
    given = values.get(key) or []
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise LanguageError(f"{key} is a list of variables.", line_of(values, key), hint=f"{key}: [event.description]")
    return tuple(map(str, given))
