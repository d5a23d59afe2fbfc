"""What a mail holds that speaks of a failure: the server's sentences, its report, and what is left of the original."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.bounces.addresses import address
from engine.bounces.decoding import normal, plain
from engine.bounces.footers import without_footers
from engine.bounces.mime import Headers, Mail, Part, parameter, split
from engine.bounces.phrases import marks

TEXT_CHARACTERS = 40_000
STATUS_CHARACTERS = 150_000
ORIGINAL_CHARACTERS = 60_000
HEADER_LINE = re.compile(r"[>\s]{0,8}([A-Za-z][A-Za-z0-9-]{1,40}):")
KNOWN = {
    "received",
    "return-path",
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "x-mailer",
    "dkim-signature",
    "delivered-to",
}
CERTAIN = {"received", "return-path", "mime-version", "delivered-to"}
REPORTS = ("message/delivery-status", "message/global-delivery-status")
ANY_FIELD = re.compile(
    r"^[ \t]{0,8}(?:action|status|[a-z]{1,20}-[a-z-]{1,30})[ \t]{0,2}:", re.IGNORECASE | re.MULTILINE
)
REPORT_FIELD = re.compile(
    r"^[ \t]{0,8}(?:final-recipient|original-recipient|diagnostic-code|action)[ \t]{0,2}:", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Clues:
    """`human` is what the server says in sentences, `status` its report (RFC 3464), `feedback` one of RFC 5965.

    `original` are the headers of the mail that came back, with the text of it in `original_text`; `attached` are
    whole messages in it.
    """

    mail: Mail
    human: str
    status: str
    feedback: str
    original: Headers
    original_text: str
    attached: tuple[bytes, ...]
    in_text: bool = False
    """Whether the report stands among the sentences, where anybody may have put it."""

    @property
    def report_type(self) -> str:
        return parameter(self.mail.headers, "report-type").lower()


def gather(mail: Mail) -> Clues:
    """The clues of a mail."""
    human, status, feedback, originals, attached = [], [], [], [], []
    parts = [_as_meant(part) for part in mail.parts]
    texts = _texts(parts)
    for part in parts:
        if part.kind == "message/feedback-report":
            feedback.append(part.text)
        elif part.kind in REPORTS:
            status.append(part.text)
        elif "disposition-notification" in part.kind:
            continue
        elif "rfc822" in part.kind or part.kind.startswith("message/"):
            originals.append(part.text)
            if "header" not in part.kind:
                attached.append(part.data)
    for text in texts:
        own, rest = cut(text)
        human.append(own)
        originals.append(rest)
    sentences = without_footers("\n".join(human)[:TEXT_CHARACTERS])
    in_text = not status and bool(REPORT_FIELD.search(sentences))
    if in_text:
        status.append(sentences)
    original_text = "\n\n".join(filter(None, originals))[:ORIGINAL_CHARACTERS]
    return Clues(
        mail,
        sentences,
        "\n\n".join(status)[:STATUS_CHARACTERS],
        "\n\n".join(feedback)[:20_000],
        _headers(originals),
        original_text,
        tuple(attached),
        in_text,
    )


def _as_meant(part: Part) -> Part:
    """A part that is called a report and holds sentences only: some servers call all of their parts so."""
    if part.kind not in REPORTS or ANY_FIELD.search(part.text[:STATUS_CHARACTERS]):
        return part
    return replace(part, kind="text/plain")


def _texts(parts: Iterable[Part]) -> list[str]:
    """The sentences: plain text, or HTML where there is no plain text worth the name."""
    parts = [part for part in parts if part.kind.startswith(("text/", "multipart/")) and "rfc822" not in part.kind]
    within = [part for part in parts if part.kind not in ("text/preamble", "text/epilogue")]
    parts = within if any(len(part.text.strip()) > 20 for part in within) else parts
    found = [part.text for part in parts if part.kind != "text/html" and len(part.text.strip()) > 1]
    if sum(len(each.strip()) for each in found) < 40 or not any(part.kind == "text/plain" for part in parts):
        found += [plain(part.text[:200_000]) for part in parts if part.kind == "text/html"]
    return [plain(each[:200_000]) if "<html" in each[:400].lower() else each for each in found]


def cut(text: str) -> tuple[str, str]:
    """A text at where the mail that is sent back begins: before it, and from there."""
    lines = text[: TEXT_CHARACTERS + ORIGINAL_CHARACTERS].split("\n")
    for number, line in enumerate(lines[:1500]):
        if _announces(line) or _begins_headers(lines, number) or _says_that_headers_follow(lines, number):
            before = "\n".join(lines[:number])
            if len(before.strip()) > 10:
                return before, "\n".join(lines[number:])
    return "\n".join(lines), ""


def _announces(line: str) -> bool:
    """Whether a line, set apart by dashes or a colon, says that the original follows."""
    bare = line.strip()
    if not 8 < len(bare) < 120 or not (bare.startswith(("-", "=", "*", "_", "+")) or bare.endswith((":", "-", "="))):
        return False
    words = normal(bare)
    return "recipient" not in words and "address" not in words and "originals" in marks().find(words)


def _says_that_headers_follow(lines: list[str], number: int) -> bool:
    """Whether a line is a sentence that announces the original, and a header of one comes next."""
    bare = lines[number].strip()
    if not 8 < len(bare) < 60 or not bare.endswith("."):
        return False
    rest = next((each for each in lines[number + 1 : number + 4] if each.strip()), "")
    field = HEADER_LINE.match(rest)
    return bool(field and field[1].lower() in KNOWN and "originals" in marks().find(normal(bare)))


def _begins_headers(lines: list[str], number: int) -> bool:
    first = HEADER_LINE.match(lines[number])
    if not first or first[1].lower() not in KNOWN:
        return False
    names = {match[1].lower() for line in lines[number : number + 25] if (match := HEADER_LINE.match(line))}
    return len(names & KNOWN) >= (3 if names & CERTAIN else 5)


def _headers(originals: Iterable[str]) -> Headers:
    """The headers of the first original that has some; quote marks and lines before them are skipped."""
    for text in originals:
        lines = text[:30_000].split("\n")
        for number, line in enumerate(lines[:60]):
            field = HEADER_LINE.match(line)
            if field and (number == 0 or (number < 3 and field[1].lower() in KNOWN) or _begins_headers(lines, number)):
                block = "\n".join(each.lstrip("> ") if each.startswith(">") else each for each in lines[number:])
                if block[:1] == " ":
                    block = re.sub(r"^ {1,8}(?=[A-Za-z][A-Za-z0-9-]{1,40}:)", "", block, flags=re.MULTILINE)
                headers = split(block.encode("utf-8", "replace"))[0]
                if len(headers) >= 2:
                    return headers
    return {}


def original_recipients(clues: Clues) -> list[str]:
    """The addresses in To of the original."""
    values = clues.original.get("to", [])
    pieces = ",".join(values)[:4000].split(",")
    return [found for piece in pieces if (found := address(piece))]
