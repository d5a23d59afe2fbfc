"""Header lines as bytes-to-be: ASCII text with CRLF, folded, safe against injection.

List-Unsubscribe is written raw: the stdlib policy turns a long address into an encoded word, and the button goes away.
"""

from __future__ import annotations

import binascii
import datetime as dt
import re
from email.headerregistry import Address
from email.utils import format_datetime
from functools import lru_cache

import idna

from engine.rendering.envelope import Envelope
from engine.rendering.errors import RenderError

controls = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
encoded_word = re.compile(r"=(?=\?)")
phrase = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]{0,60}").fullmatch
dot_atom = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+").fullmatch
label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
named = re.compile(r"(.*)<([^<>]*)>").fullmatch
ascii_domain = re.compile(rf"{label}(?:\.{label})*").fullmatch
uri = re.compile(r"[!-;=?-~]+").fullmatch
one_click = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


def neutral(text: str) -> str:
    """Text from a merge field, harmless in a header: controls become blanks, `=?` is taken apart (CVE-2024-6923)."""
    if text.isascii() and text.isprintable() and "=?" not in text:
        return text.strip()
    return encoded_word.sub("= ", controls.sub(" ", text)).strip()


def subject_line(subject: str) -> str:
    """`Subject: …`, folded, or in adjacent RFC 2047 words of at most 75 characters."""
    if subject.isascii():
        return fold("Subject: " + subject)
    return "Subject: " + words(subject) + "\r\n"


def words(text: str) -> str:
    """RFC 2047 encoded words, base64 of UTF-8, each with whole characters, one per line."""
    data = text.encode("utf-8", "replace")
    if len(data) <= 42:
        return f"=?utf-8?b?{binascii.b2a_base64(data, newline=False).decode()}?="
    chunks, size = [""], 0
    for character in text:
        length = len(character.encode("utf-8", "replace"))
        if size + length > 42:
            chunks.append("")
            size = 0
        chunks[-1] += character
        size += length
    encoded = (binascii.b2a_base64(chunk.encode("utf-8", "replace"), newline=False).decode() for chunk in chunks)
    return "\r\n ".join(f"=?utf-8?b?{chunk}?=" for chunk in encoded)


def fold(line: str) -> str:
    """A header line of at most 78 characters where blanks allow it, with its CRLF; a longer word goes into words()."""
    if len(line) <= 78:
        return line + "\r\n"
    name, _, value = line.partition(": ")
    if max(map(len, value.split(" "))) > 70 or "  " in value:
        return f"{name}: {words(value)}\r\n"
    lines, current = [], name + ":"
    for word in value.split(" "):
        if len(current) + 1 + len(word) > 78:
            lines.append(current)
            current = ""
        current += " " + word
    return "\r\n".join([*lines, current]) + "\r\n"


@lru_cache(maxsize=256)
def ascii_name(domain: str) -> str:
    """A domain in ASCII (IDNA2008, RFC 5891). Raises RenderError."""
    try:
        return domain if ascii_domain(domain) else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise RenderError(f"“{neutral(domain)[:100]}” is no domain name.", code="address") from error


def split_address(address: str) -> tuple[str, str]:
    """Local part, and domain in ASCII. Raises RenderError when it is no address."""
    local, at, domain = address.strip().rpartition("@")
    if (
        not (at and local and domain)
        or controls.search(address)
        or " " in domain
        or len(local.encode()) > 64
        or len(domain) > 253
    ):
        raise RenderError(f"“{neutral(address)[:100]}” is no email address.", code="address")
    return local, ascii_name(domain)


@lru_cache(maxsize=1024)
def usual_domain(domain: str) -> bool:
    """Whether a domain is written in ASCII and as long as one may be. Many contacts share a few."""
    return len(domain) <= 253 and bool(ascii_domain(domain))


ordinary = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:\.[A-Za-z0-9_+-]{1,31})?").fullmatch  # 64 characters at most


def address_line(header: str, name: str, address: str) -> tuple[str, str, bool]:
    """The header line, the forward path, and whether they need SMTPUTF8 (RFC 6531). Raises RenderError."""
    local, _, domain = address.partition("@")
    if ordinary(local) and usual_domain(domain):
        return f"{header}: {_display(name)}<{address}>\r\n", address, False
    local, domain = split_address(address)
    path = f"{local}@{domain}"
    if not local.isascii():
        return f"{header}: {_display(name)}{_utf8_path(local, domain)}\r\n", path, True
    if not dot_atom(local) or local[0] == "." or local[-1] == "." or ".." in local:
        path = Address(username=local.strip('"'), domain=domain).addr_spec
    return f"{header}: {_display(name)}<{path}>\r\n", path, False


def _utf8_path(local: str, domain: str) -> str:
    if re.search(r"[\s\"(),:;<>@\[\]\\]", local):
        raise RenderError(f"“{neutral(local)[:100]}” is no local part.", code="address")
    return f"<{local}@{domain}>"


def _display(name: str) -> str:
    """A display name before `<address>`: bare, quoted, or in encoded words; short enough not to need folding."""
    name = neutral(name)[:150]
    if not name:
        return ""
    if phrase(name) and "=" not in name:
        return name + " "
    if name.isascii() and len(name) <= 60:
        return str(Address(display_name=name)).removesuffix("<>").strip() + " "
    return words(name) + "\r\n "


@lru_cache(maxsize=1024)
def common_lines(name: str, address: str, reply_to: str, moment: dt.datetime, feedback_id: str) -> str:
    """The lines that the messages of a step share while a batch is sent: From, Reply-To, Date, Feedback-ID."""
    feedback = fold(f"Feedback-ID: {ascii_text(feedback_id)}") if feedback_id else ""
    return sender_lines(name, address, reply_to) + date_line(moment) + feedback


def named_address(text: str) -> tuple[str, str]:
    """Name and address of `Name <address>`; what stands in no brackets is an address without a name."""
    match = named(text.strip())
    return (match[1].strip(' "'), match[2].strip()) if match else ("", text.strip())


def sender_lines(name: str, address: str, reply_to: str) -> str:
    """From and, if given, Reply-To, which may be `Name <address>`.

    Raises RenderError for a sender that needs SMTPUTF8: not every server takes one.
    """
    line, _, utf8 = address_line("From", name, address)
    if utf8:
        raise RenderError(f"The sender “{neutral(address)}” has letters outside ASCII before the @.", code="address")
    return line + (address_line("Reply-To", *named_address(reply_to))[0] if reply_to else "")


def date_line(moment: dt.datetime) -> str:
    """`Date: …` (RFC 5322 section 3.3), to the second."""
    return f"Date: {format_datetime(moment)}\r\n"


def language_line(tag: str) -> str:
    """`Content-Language: …` (RFC 3282), or nothing for a content that does not say its language."""
    return f"Content-Language: {tag}\r\n" if tag else ""


def unsubscribe_lines(envelope: Envelope) -> str:
    """List-Unsubscribe with one URI per folded line (RFC 2369) and the one-click promise (RFC 8058).

    None for what answers the contact: that is not what they would unsubscribe from.
    """
    if envelope.transactional:
        return ""
    if envelope.plain_urls and not envelope.unsubscribe_mailto and 0 < len(envelope.unsubscribe_url) < 900:
        return f"List-Unsubscribe: <{envelope.unsubscribe_url}>\r\n{one_click}"
    uris = [envelope.unsubscribe_url] if envelope.unsubscribe_url else []
    if envelope.unsubscribe_mailto:
        uris.append("mailto:" + envelope.unsubscribe_mailto)
    if not uris:
        return ""
    if not all(uri(target) and len(target) < 900 for target in uris):
        raise RenderError("The unsubscribe address is not a plain URI of at most 900 characters.", code="address")
    lines = "List-Unsubscribe: " + ",\r\n ".join(f"<{target}>" for target in uris) + "\r\n"
    return lines + (one_click if envelope.unsubscribe_url.startswith(("https://", "http://")) else "")


def extra_lines(envelope: Envelope) -> str:
    """The envelope's own headers, made harmless."""
    return "".join(fold(f"{name}: {ascii_text(value)}") for name, value in envelope.headers.items())


def ascii_text(text: str) -> str:
    """A harmless header value; what is not ASCII becomes a question mark."""
    return neutral(text).encode("ascii", "replace").decode("ascii")
