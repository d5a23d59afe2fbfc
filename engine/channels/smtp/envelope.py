"""What is written for one message: the commands of its envelope, and its text made safe for the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass

import idna

from engine.channels.smtp.handshake import Extensions

bare_line_end = re.compile(rb"\r(?!\n)|(?<!\r)\n")
leading_dot = re.compile(rb"^\.", re.MULTILINE)
plain = re.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9.-]+").fullmatch
unsafe = re.compile(r"[\x00-\x20\x7f<>]")


@dataclass(frozen=True, slots=True)
class Unsendable(Exception):
    """The message cannot be handed to this server; code and enhanced code as the server would give them."""

    code: int
    enhanced: str
    text: str


def prepare(data: bytes) -> bytes:
    """The message with CRLF at each line end, dots stuffed (RFC 5321, section 4.5.2), without its final dot.

    A bare CR or LF is made CRLF: servers that end messages at them would take what follows for a second message.
    """
    if data.count(b"\n") != data.count(b"\r\n") or data.count(b"\r") != data.count(b"\r\n"):
        data = bare_line_end.sub(b"\r\n", data)
    if data.startswith(b".") or b"\n." in data:
        data = leading_dot.sub(b"..", data)
    return data if data.endswith(b"\r\n") else data + b"\r\n"


def address(text: str, extensions: Extensions) -> str:
    """A mailbox as it stands in a command: IDNA domain; other characters only with SMTPUTF8 (RFC 6531).

    Raises `Unsendable`.
    """
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or unsafe.search(text):
        raise Unsendable(501, "5.1.3", "the address is not valid")
    if not domain.isascii():
        domain = _ascii_domain(domain)
    if not local.isascii() and "SMTPUTF8" not in extensions:
        raise Unsendable(553, "5.6.7", "the server takes no such address (no SMTPUTF8)")
    return f"{local}@{domain}"


def _path(text: str, extensions: Extensions) -> str:
    """`address`; most are as plain as can be."""
    return text if plain(text) else address(text, extensions)


def _ascii_domain(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise Unsendable(501, "5.1.2", "the domain of the address is not valid") from error


def commands(
    sender: str, recipient: str, data: bytes, extensions: Extensions, *, clean: bool = False
) -> tuple[bytes, bytes, bytes]:
    """MAIL, RCPT and DATA for a prepared message; an empty sender is the null path. Raises `Unsendable`.

    `clean` as in `Rendered`.
    """
    mail_from = _path(sender, extensions) if sender else ""
    to = _path(recipient, extensions)
    mail = f"MAIL FROM:<{mail_from}>"
    if "SIZE" in extensions.keywords:
        if 0 < extensions.largest < len(data):
            raise Unsendable(552, "5.3.4", f"the message is larger than the server takes ({extensions.largest} bytes)")
        mail += f" SIZE={len(data)}"
    if not clean and not data.isascii():
        if "8BITMIME" not in extensions:
            raise Unsendable(554, "5.6.3", "the server takes no 8-bit text (no 8BITMIME)")
        mail += " BODY=8BITMIME"
    if not (mail_from.isascii() and to.isascii()):
        mail += " SMTPUTF8"
    return f"{mail}\r\n".encode(), f"RCPT TO:<{to}>\r\n".encode(), b"DATA\r\n"
