"""Quoted-printable (RFC 2045 section 6.7) applied to a template when it is loaded.

Constant text is encoded once; only expressions are encoded per contact. Every piece begins in column 1 and ends with a
soft or hard line break, so pieces can follow one another in any order and each line stays within 76 characters. No
blank follows another and tabs are encoded, so that DKIM's relaxed form of a body (RFC 6376, section 3.4.4) is the body.
"""

from __future__ import annotations

import binascii
import re
from functools import lru_cache
from typing import Any, cast

from jinja2 import nodes
from markupsafe import escape

from engine.rendering.filters import shown
from engine.rendering.trees import filtered

# Neither HTML nor quoted-printable changes these, and no line grows past 76 with them.
plain = re.compile(r"[A-Za-z0-9 _,:;/@+()!?#-](?:[A-Za-z0-9 _,:;/@+()!?#.-]{0,68}[A-Za-z0-9_,:;/@+()!?#.-])?").fullmatch
address = re.compile(r"[A-Za-z0-9/:?&%_.,+~@-]+").fullmatch
signs = [chr(byte) if 32 <= byte < 127 and chr(byte) not in "=." else f"={byte:02X}" for byte in range(256)]
blank_runs = re.compile(rb"(?<=[ \t])[ \t]|\t")
final_blanks = re.compile(rb"=(?:20|09)$", re.MULTILINE)  # the library encodes them and lets the line grow to 78
leading_dots = re.compile(rb"^\.+", re.MULTILINE)
capturing = (nodes.AssignBlock, nodes.FilterBlock, nodes.Macro, nodes.CallBlock)


def encode(text: str) -> bytes:
    """Quoted-printable of a text with line breaks of any kind: CRLF, lines <= 76, no line begins with a dot.

    A leading dot gets a line of its own, encoded, so that no line grows past 76; SMTP would eat it otherwise.
    """
    data = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    encoded = binascii.b2a_qp(data, istext=True)
    if b"  " in encoded or b"\t" in encoded or final_blanks.search(encoded):
        encoded = b"\n".join([_without_runs(line) for line in encoded.split(b"\n")])
    if b"." in encoded:
        encoded = leading_dots.sub(lambda match: b"=2E=\n" * len(match[0]), encoded)
    return encoded.replace(b"\n", b"\r\n")


def _without_runs(line: bytes) -> bytes:
    """An encoded line whose blanks stand alone, folded anew where it has grown past 76."""
    line = blank_runs.sub(lambda match: b"=%02X" % match[0][0], line)
    lines = []
    while len(line) > 76:
        escape_at = line.find(b"=", 73, 75)
        cut = 75 if escape_at < 0 else escape_at
        lines.append(line[:cut] + b"=")
        line = line[cut:]
    return b"\n".join([*lines, line])


def piece(text: str) -> str:
    """An encoded piece: ends with a line break, so that the next piece begins in column 1."""
    if not text:
        return ""
    encoded = encode(text).decode("ascii")
    if encoded.endswith("\r\n"):
        return encoded
    if len(encoded) - encoded.rfind("\n") > 76:  # the soft break itself takes a character
        cut = -3 if encoded[-3] == "=" else -1
        return f"{encoded[:cut]}=\r\n{encoded[cut:].replace('.', '=2E')}=\r\n"
    return encoded + "=\r\n"


def short_piece(text: str) -> str:
    """`piece` for values: most are short, and a table encodes those faster than the library."""
    if not text:
        return ""
    data = text.encode("utf-8", "replace")
    if len(data) > 24 or "\n" in text or "\r" in text or "\t" in text or "  " in text:
        return piece(text) if text[0] == "." or ".." in text else address_piece(text)
    return "".join([signs[byte] for byte in data]) + "=\r\n"


def address_piece(text: str) -> str:
    """`piece` for addresses: ASCII without `=`, cut where no line would begin with a dot.

    A dot neither begins the address nor follows another.
    """
    return plain_address_piece(text) if address(text) else piece(text)


def plain_address_piece(text: str) -> str:
    """`address_piece` of what is known to hold only characters of `address`."""
    return text + "=\r\n" if len(text) <= 72 else _cut(text)


def _cut(text: str) -> str:
    lines, start, length = [], 0, len(text)
    while length - start > 72:
        end = start + 72
        while text[end] == ".":
            end -= 1
        lines.append(text[start:end])
        start = end
    return "=\r\n".join([*lines, text[start:]]) + "=\r\n"


class Address(str):
    """An address that holds only characters of `address`: its piece is the same in every part, and is cut once."""

    __slots__ = ("piece",)
    piece: str


def known_address(text: str) -> Address:
    """An `Address` of what is known to be one."""
    made = Address(text)
    made.piece = plain_address_piece(text)
    return made


@lru_cache(maxsize=8192)
def plain_piece(text: str) -> str:
    """The piece of a text that neither HTML nor quoted-printable changes, else ''. Contacts have much in common."""
    return f"{text}=\r\n" if plain(text) and "  " not in text else ""


def html_value(value: Any, name: str = "") -> str:
    """An expression's value in an HTML part: escaped unless Markup, then encoded; `name` is reported if missing."""
    kind = type(value)
    if kind is str and (ready := plain_piece(value)):
        return ready
    if kind is int:
        return f"{value}=\r\n"
    if kind is Address:
        return cast(Address, value).piece
    return short_piece(str(escape(shown(value, name))))


def text_value(value: Any, name: str = "") -> str:
    """An expression's value in a text part."""
    kind = type(value)
    if kind is str and (ready := plain_piece(value)):
        return ready
    if kind is int:
        return f"{value}=\r\n"
    if kind is Address:
        return cast(Address, value).piece
    return short_piece(str(shown(value, name)))


def captures(tree: nodes.Template) -> bool:
    """Does the template read its own output ({% set %} blocks, macros)? Then it is encoded afterwards."""
    return next(tree.find_all(capturing), None) is not None


def precompile(tree: nodes.Template) -> nodes.Template:
    """Make every output of a prepared, non-capturing template quoted-printable, in place."""
    for output in tree.find_all(nodes.Output):
        output.nodes = [_encoded(node) for node in output.nodes]
    return tree


def _encoded(node: nodes.Expr) -> nodes.Expr:
    if isinstance(node, nodes.TemplateData):
        return nodes.TemplateData(piece(node.data))
    if isinstance(node, nodes.Filter) and node.name == "cairn_shown" and node.node is not None:
        return filtered(node.node, "cairn_qp", *node.args)
    return node
