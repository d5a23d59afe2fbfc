"""YAML text to a node tree with marks. Only the plain part of YAML 1.2: no tags, anchors, aliases or merges."""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError, MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from engine.errors import LanguageError

LONGEST = 256_000
DEEPEST = 100
LARGEST = 12_000
QUOTE_HINT = (
    "Put a text or rule that holds `#`, `: `, a comma, a bracket or a leading quote into single quotes: "
    "'opened \"promo #1\"'."
)
DEEP_HINT = "Let a step `journey:` start another journey for the inner part."
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ODD_BREAK = re.compile("[\x85\u2028\u2029\ufeff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_QUESTION = re.compile(r"^ *(?:- +)*(\?)(?=[ \r\n])", re.MULTILINE)
_GLUED = re.compile(r"\s*(?:- )?[A-Za-z_]+:[^\s:]")
_BRACKET = re.compile(r"[\[{\]}\n]")
_TAB = re.compile(r"^ *(\t)[ \t]*[^\s#]", re.MULTILINE)


class _PlainComposer(Composer):
    """Refuses what could grow without bound or name Python objects, while the tree is built."""

    nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        self.nodes += 1
        if isinstance(event, AliasEvent) or event.anchor is not None:
            raise ComposerError(None, None, "Anchors and aliases are not part of the language.", event.start_mark)
        if getattr(event, "ctag", None) is not None:
            raise ComposerError(None, None, "YAML tags are not part of the language.", event.start_mark)
        if self.nodes > LARGEST:
            raise ComposerError(None, None, f"The file has more than {LARGEST:,} values.", event.start_mark)
        node = super().compose_node(parent, index)
        bad = _UNSTORABLE.search(node.value) if isinstance(node, ScalarNode) else None
        if bad:  # an escape in double quotes can spell what no text may hold
            message = f"The character U+{ord(bad[0]):04X} is not allowed in a journey."
            raise ComposerError(None, None, message, node.start_mark)
        return node

    def compose_mapping_node(self, anchor: Any) -> Any:
        """An empty value gets the place of its key; ruamel gives it that of whatever comes next."""
        node = super().compose_mapping_node(anchor)
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or not key.value:
                raise ComposerError(None, None, "A key is plain text.", key.start_mark)
            if isinstance(value, ScalarNode) and not value.style and not value.value:
                value.start_mark = value.end_mark = key.end_mark
        return node


def compose(text: str) -> MappingNode:
    """The root mapping of `text`. Raises LanguageError for anything that is not one plain YAML mapping."""
    _refuse_unreadable(text)
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _PlainComposer
    yaml.max_depth = DEEPEST
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        raise _explained(error, text) from None
    except (ReaderError, ValueError, RecursionError, AssertionError) as error:
        raise LanguageError(f"The text is not YAML: {error}") from None
    if root is None:
        raise LanguageError("The file is empty.", expected=("journey:",), hint="Start with `journey: NAME`.")
    if not isinstance(root, MappingNode):
        line, column = start(root)
        raise LanguageError(
            "A journey holds `key: value` lines.", line, column, ("journey:",), "Start with `journey: NAME`."
        )
    return root


def unstorable(text: str) -> bool:
    """Whether no database takes the text: NUL, or half of a surrogate pair."""
    return _UNSTORABLE.search(text) is not None


def escaped(quoted: str) -> str:
    """A text in double quotes with escapes for the characters that no file may hold, or that YAML takes for breaks."""
    for pattern in (_FORBIDDEN, _HIDDEN, _ODD_BREAK):
        quoted = pattern.sub(_escape, quoted)
    return quoted


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of the character at `offset`."""
    line, begin = 1, 0
    for found in _BREAK.finditer(text, 0, offset):
        line, begin = line + 1, found.end()
    return line, offset - begin + 1


def start(node: Node) -> tuple[int, int]:
    """Line and column, from 1, where `node` begins."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def kind_of(node: Node) -> str:
    """What a person would call the value of `node`."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    names = {"null": "nothing", "int": "a number", "float": "a number", "bool": "true or false"}
    return names.get(tag_of(node), "text")


def in_flow(node: Node) -> bool:
    """Whether `node` is written `{…}` or `[…]`."""
    return bool(getattr(node, "flow_style", False))


def tag_of(node: Node) -> str:
    """The last part of the YAML tag: str, int, float, bool, null, timestamp, map, seq, merge."""
    return str(node.tag).rsplit(":", 1)[-1]


def offsets(text: str, node: ScalarNode) -> list[int]:
    """For each character of the scalar's value, its offset in `text`; one more for the end.

    Exact for plain, quoted and literal scalars; in a folded one (`>`) each break counts as one space.
    """
    raw = text[node.start_mark.index : node.end_mark.index]
    base = node.start_mark.index
    if node.style in ("|", ">"):
        found = _block_offsets(raw)
    else:
        quoted = node.style in ("'", '"')
        found = _flow_offsets(raw[1:-1] if quoted else raw, node.style or "")
        base += 1 if quoted else 0
    length = len(node.value)
    found = (found + [found[-1] + 1 if found else 0] * (length + 1))[: length + 1]
    return [base + offset for offset in found]


def _flow_offsets(raw: str, style: str) -> list[int]:
    token = {
        "'": r"''|[ \t]*(?:\r?\n[ \t]*)+|.",
        '"': r"\\x..|\\u....|\\U........|\\\r?\n[ \t]*|\\.|[ \t]*(?:\r?\n[ \t]*)+|.",
    }.get(style, r"[ \t]*(?:\r?\n[ \t]*)+|.")
    found: list[int] = []
    for match in re.finditer(token, raw, re.DOTALL):
        piece = match[0]
        if piece[0] == "\\" and len(piece) > 1 and piece[1] in "\r\n":
            continue
        breaks = piece.count("\n") if piece.strip() == "" and "\n" in piece else 0
        found += [match.start()] * max(1, breaks - 1)
    return found


def _block_offsets(raw: str) -> list[int]:
    header = raw.find("\n") + 1
    lines = raw[header:].splitlines(keepends=True)
    indent = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
    found: list[int] = []
    begin = header
    for line in lines:
        found += range(begin + min(indent, len(line) - 1), begin + len(line))
        begin += len(line)
    return found


def _refuse_unreadable(text: str) -> None:
    if len(text) > LONGEST:
        raise LanguageError(f"The file is longer than {LONGEST:,} characters.", hint="Split it into several journeys.")
    for pattern, message in ((_FORBIDDEN, "not allowed in a journey"), (_HIDDEN, "invisible and changes how it reads")):
        bad = pattern.search(text, 1 if text.startswith("\ufeff") else 0)
        if bad:
            where = place(text, bad.start())
            told = f"The character U+{ord(bad[0]):04X} is {message}."
            raise LanguageError(told, *where, hint="Type the text again instead of pasting it.")
    question = _QUESTION.search(text)
    if question:
        where = place(text, question.start(1))
        raise LanguageError("A line does not begin with `? `.", *where, hint="Put the text into quotes.")
    _refuse_deep_line(text)
    tab = _TAB.search(text)
    if tab:
        raise LanguageError("A line is indented with a tab.", *place(text, tab.start(1)), hint="Indent with spaces.")


def _refuse_deep_line(text: str) -> None:
    """A line that opens very many brackets: ruamel takes each for a possible key, in time that grows by the square."""
    depth = 0
    for sign in _BRACKET.finditer(text):
        depth = 0 if sign[0] == "\n" else depth + (1 if sign[0] in "[{" else -1)
        if depth > DEEPEST:
            message = f"The file is nested deeper than {DEEPEST} levels."
            raise LanguageError(message, *place(text, sign.start()), hint=DEEP_HINT)


def _explained(error: MarkedYAMLError, text: str) -> LanguageError:
    mark = error.problem_mark or error.context_mark
    if error.context_mark is not None and "stream end" in str(error.problem).replace("end of stream", "stream end"):
        mark = error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    problem = str(error.problem or error.context or "unreadable")
    if isinstance(error, MaxDepthExceededError):
        return LanguageError(f"The file is nested deeper than {DEEPEST} levels.", line, column, hint=DEEP_HINT)
    if isinstance(error, ComposerError):
        return LanguageError(_composed(problem), line, column, hint=_alias_hint(problem))
    return LanguageError(_scanned(problem), line, column, _expected(problem), _hint(problem, text, mark))


def _composed(problem: str) -> str:
    return "A file holds one journey." if "another document" in problem else problem


def _alias_hint(problem: str) -> str:
    if "Anchors" in problem:
        return "Write the value out; put text that begins with `*` or `&` into quotes."
    if "another document" in problem:
        return "Put the second journey into a file of its own."
    return "Put text that begins with `!` into quotes." if "tags" in problem else ""


def _scanned(problem: str) -> str:
    """What is wrong, in the author's words."""
    if "mapping values are not allowed" in problem:
        return "A second `: ` stands here, where the value already began."
    if "unexpected end of stream" in problem:
        return "The quoted text that begins here does not end."
    if "cannot start any token" in problem:
        return f"A text without quotes does not begin with `{problem.split(chr(39))[1]}`."
    if "document start" in problem:
        return "A line does not begin with `%`."
    found = re.search(r"found '<(.*)>'|got '(.*?)'$", problem)
    token = (found[1] or found[2] or "").strip("<>") if found else ""
    if token == "stream end":
        return "The bracket that opens here is not closed."
    names = {
        "scalar": "more text", "block end": "a smaller indentation", "block sequence start": "an entry (`- `)",
        "block mapping start": "a `key:`",
    }  # fmt: skip
    shown = names.get(token, f"`{token}`")
    return f"{shown[:1].upper()}{shown[1:]} cannot stand here." if token else f"{problem[:1].upper()}{problem[1:]}."


def _expected(problem: str) -> tuple[str, ...]:
    found = re.search(r"expected (.*?), but", problem)
    names = {",": "a comma", "block end": "a smaller indentation", "document start": ""}
    parts = [part.strip("'<>") for part in found[1].split(" or ")] if found else []
    return tuple(name for part in parts if (name := names.get(part, f"`{part}`")))


def _hint(problem: str, text: str, mark: Any) -> str:
    lines = text.splitlines()
    line = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    above = lines[mark.line - 1] if mark is not None and 0 < mark.line <= len(lines) else ""
    if "end of stream" in problem:
        return "Close the quote, or write the text without."
    if "stream end" in problem:
        return "Close it, or put the text into quotes."
    if "cannot start any token" in problem or "document start" in problem:
        return "Put the text into quotes."
    if _GLUED.match(above):
        return "Put a space after the colon of the line above."
    if "block sequence start" in problem or "block mapping start" in problem:
        return "Check the indentation of this line and of the one above."
    if any(one.lstrip()[:1] in ("–", "—", "•", "*") for one in (line, above) if one.strip()):
        return "Begin each entry with `- `."
    if "'" in line and "scalar" in problem:
        return "Inside single quotes write '' for an apostrophe."
    if any(sign in line for sign in ('"', "“", ": ", "[", "{")):
        return QUOTE_HINT
    return "Check the indentation of this line and of the one above."
