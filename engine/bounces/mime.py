"""A mail taken apart (RFC 5322, RFC 2045), however broken it is. Bounded in size, parts and depth; nothing raises."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.bounces.decoding import text_of, transfer, words_of

LOOKED_AT = 2_000_000  # bytes of a mail; what a server has to say comes before the mail that it sends back
PART_BYTES = 300_000
MAX_PARTS, MAX_DEPTH = 40, 6
FIELD = re.compile(rb"([A-Za-z0-9!#$%&'*+^_`|~.-]{1,76})[ \t]{0,4}:(.*)", re.DOTALL)
MORE_FIELDS = re.compile(
    rb"^(?:from|to|subject|date|content-type|mime-version|message-id|received|return-path|x-[\w-]{1,60}):",
    re.IGNORECASE | re.MULTILINE,
)
UNINDENTED = re.compile(rb"[a-z-]{1,30}\*?=", re.IGNORECASE)
PARAMETER = re.compile(r"""([a-z-]{1,30})\*?[ \t]?=[ \t]?(?:"([^"]{0,300})"|([^;\s"]{1,300}))""", re.IGNORECASE)
LOST_BOUNDARY = re.compile(rb"(?:\A|\n)--([^\n]{1,100})\n(?:content-[a-z-]{1,30}:)", re.IGNORECASE)

Headers = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf: its type in lower case, its headers, its text. Of a `message/…` part the text is the whole message.

    `data` are the bytes of such a message, whose parts have charsets of their own.
    """

    kind: str
    headers: Headers
    text: str
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Mail:
    """`headers` by name in lower case, values unfolded and decoded; `parts` are the leaves in order."""

    kind: str
    headers: Headers
    parts: tuple[Part, ...]

    def first(self, name: str) -> str:
        """The first header of this name, or nothing."""
        return self.headers.get(name, [""])[0]


def read(raw: bytes) -> Mail:
    """The mail in these bytes; line ends may be of any kind, and an mbox line may come first."""
    data = _narrow(raw[:LOOKED_AT]).replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\0", b"")
    data = data.lstrip(b"\n\xef\xbb\xbf")
    if data.startswith((b"From ", b">From ")):
        data = data.partition(b"\n")[2]
    headers, body = split(data)
    parts = tuple(part for part, _ in zip(_leaves(headers, body, 0), range(MAX_PARTS), strict=False))
    return Mail(_type(headers), headers, parts)


def _narrow(raw: bytes) -> bytes:
    """A mail that a program saved as UTF-16, as UTF-8; any other as it is."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace").encode("utf-8", "replace")
    head = raw[:400]
    if len(head) > 20 and head.count(0) * 5 > len(head) * 2:
        return raw.decode("utf-16-be" if head[0] == 0 else "utf-16-le", "replace").encode("utf-8", "replace")
    return raw


def split(data: bytes) -> tuple[Headers, bytes]:
    """Headers and body. A line that is no header ends them, as a blank line does, unless it lost its indentation."""
    headers: Headers = {}
    position, size, value = 0, len(data), b""
    name, promised = "", 0
    while position < size:
        end = data.find(b"\n", position)
        end = size if end < 0 else end
        line = data[position:end]
        found = None if line[:1] in (b" ", b"\t") else FIELD.match(line[:20_000])
        goes_on = bool(name and line.strip() and not found)
        if goes_on and line[:1] not in (b" ", b"\t") and not _is_parameter(value, line):
            promised = promised if position < promised else _next_header(data, end)
            goes_on = position < promised
        if goes_on:
            value = value + b"\n " + line if len(value) < 20_000 else value
        else:
            _add(headers, name, value)
            if not found:
                return headers, data[end + 1 :] if not line.strip() else data[position:]
            name, value = found[1].decode("ascii", "replace").lower(), found[2]
        position = end + 1
    _add(headers, name, value)
    return headers, b""


def _is_parameter(value: bytes, line: bytes) -> bool:
    return value.rstrip().endswith(b";") and bool(UNINDENTED.match(line))


def _next_header(data: bytes, end: int) -> int:
    """Where the next header begins that comes before a blank line; 0 if there is none."""
    blank = data.find(b"\n\n", end, end + 50_000)
    found = MORE_FIELDS.search(data, end + 1, blank if blank >= 0 else end + 4000)
    return found.start() if found else 0


def _add(headers: Headers, name: str, value: bytes) -> None:
    if name and len(values := headers.setdefault(name, [])) < 50:
        text = words_of(text_of(value).replace("\t", " "))
        values.append(" ".join(text.split()))


def _type(headers: Headers) -> str:
    kind = headers.get("content-type", [""])[0].split(";")[0].strip().lower()
    return kind if "/" in kind else "text/plain"


def parameter(headers: Headers, name: str, header: str = "content-type") -> str:
    """A parameter of the Content-Type, or nothing."""
    for match in PARAMETER.finditer(headers.get(header, [""])[0][:2000]):
        if match[1].lower() == name:
            return match[2] if match[2] is not None else match[3]
    return ""


def _leaves(headers: Headers, body: bytes, depth: int) -> Iterator[Part]:
    kind = _type(headers)
    boundary = parameter(headers, "boundary").encode("utf-8", "replace")
    if boundary and b"--" + boundary not in body:
        boundary = b""
    lost = None if boundary else LOST_BOUNDARY.search(body[:50_000])
    if lost and (kind.startswith("multipart/") or _is_preamble(body[: lost.start()])):
        boundary = lost[1].rstrip()
    if depth < MAX_DEPTH and boundary:
        yield from _pieces(body, boundary, depth)
        return
    yield _leaf(kind, headers, body)


def _is_preamble(text: bytes) -> bool:
    """Whether a text before what looks like a first part says nothing of its own: the header that names it was lost."""
    return len(text) < 600 and b"@" not in text


def _leaf(kind: str, headers: Headers, body: bytes) -> Part:
    data = transfer(body[: PART_BYTES * 2], headers.get("content-transfer-encoding", [""])[0])[:PART_BYTES]
    if not kind.startswith(("text/", "message/", "multipart/")):
        data = data[:4000]
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    whole = data if kind.startswith("message/") else b""
    return Part(kind, headers, text_of(data, parameter(headers, "charset")), whole)


def _pieces(body: bytes, boundary: bytes, depth: int) -> Iterator[Part]:
    """The parts between the boundary's lines, and before them what has no headers of its own."""
    pieces = (b"\n" + body).split(b"\n--" + boundary, MAX_PARTS)
    if pieces[0].strip():
        yield Part("text/preamble", {}, text_of(pieces[0][1:PART_BYTES]))
    for piece in pieces[1:]:
        first, _, rest = piece.partition(b"\n")
        if first.strip() == b"--":
            if rest.strip():
                yield Part("text/epilogue", {}, text_of(rest[:PART_BYTES]))
            continue
        headers, inner = ({}, rest[1:]) if rest.startswith(b"\n") else split(rest)
        if headers.keys() >= {"received", "from"}:  # the original, without a line that says so
            yield Part("message/rfc822", {}, text_of(rest[:PART_BYTES]), rest[:PART_BYTES])
            continue
        yield from _leaves(headers, inner, depth + 1)
