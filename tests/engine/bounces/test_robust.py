"""No bytes break the classifier or slow it down, and how a mail was carried does not change what it says."""

from __future__ import annotations

import base64
import quopri
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bounces import classify
from engine.bounces.report import KINDS, Report

CORPUS = Path(__file__).parents[2] / "corpora" / "bounces"
SAME = ("crlf", "cr-only", "mbox-line")
MAILS = [path.read_bytes() for path in sorted(CORPUS.glob("*.eml")) if path.stem not in SAME]
PIECES = [
    b"From: MAILER-DAEMON@mx.example\n",
    b"Return-Path: <>\n",
    b"Subject: =?utf-8?b?",
    b"\n",
    b"\r",
    b"\0",
    b"--b\n",
    b"--b--\n",
    b"Content-Type: multipart/report; boundary=b\n",
    b"Content-Type: message/delivery-status\n",
    b"message/rfc822\n",
    b"Content-Transfer-Encoding: base64\n",
    b"Final-Recipient: rfc822; a@b.example\n",
    b"Action: failed\n",
    b"Status: 5.1.1\n",
    b"<a@b.example>: 550 5.1.1 unknown\n",
    b"could not be delivered\n",
    b"\xff\xfe",
    b"\x1b$B",
    b"=?x?q?=ff?=",
    b"<html><style",
    b"@",
]
mails = st.binary(max_size=2000) | st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=60).map(b"".join)


@given(mails)
@settings(max_examples=300, deadline=None)
def test_any_bytes_have_a_kind(raw: bytes) -> None:
    report = classify(raw)
    assert report.kind in KINDS
    assert (report.kind == "not_a_bounce") == (not report.verdicts)


@given(st.sampled_from(MAILS), st.integers(0, 4000))
@settings(max_examples=150, deadline=None)
def test_a_mail_cut_anywhere_has_a_kind(raw: bytes, length: int) -> None:
    assert classify(raw[:length]).kind in KINDS


HEAD = b"From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: Undelivered mail\n"
BODY = b"\n\nYour message could not be delivered to the following recipient:\n"
REPORT = (
    b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: "
)
UNITS = [
    b"a",
    b"@",
    b"<a@b.example>\n",
    b"a@",
    b"=?utf-8?q?=41?= ",
    b" ",
    b"\n",
    b"-",
    b"550 ",
    b"5.1.1 ",
    b"(expanded from ",
    b"\xff",
    b"\xe4a ",
    b"user ",
    b"host a.",
    b'"a ',
    b"<",
    b"&lt;",
    b"Received: y\n",
    b"Final-Recipient: rfc822; a@b.example\nAction: failed\n\n",
]


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_100_kb_of_anything_take_a_moment(unit: bytes) -> None:
    """About 50 ms at most; the bound leaves room for a machine that does other things."""
    filler = unit * (100_000 // len(unit))
    classify(HEAD + BODY)
    for begin in (HEAD + BODY, HEAD + b"Content-Type: text/html\n\n<html>", HEAD + REPORT, HEAD + b"To: "):
        started = time.process_time()
        classify(begin + (filler.replace(b"\n", b" ") if begin.endswith(b"To: ") else filler))
        assert time.process_time() - started < 0.4


def test_30_mb_take_no_longer_and_nests_are_not_followed() -> None:
    nest = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (each, each) for each in range(3000))
    parts = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 20_000
    carried = (
        HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b" + BODY + b"<a@b.example>: 550 user unknown\n--b\n"
    )
    large = carried + b"Content-Type: message/rfc822\n\n" + b"QUFB" * 7_500_000
    started = time.process_time()
    classify(nest), classify(parts)
    assert [each.recipient for each in classify(large).verdicts] == ["a@b.example"]
    assert time.process_time() - started < 1


def test_headers_of_many_lines_that_are_none_take_a_moment() -> None:
    started = time.process_time()
    classify(b"From: x\n" + b"a\n" * 50_000 + b"X-A: b\n" + b"b\n" * 50_000 + b"\n\nhello")
    assert time.process_time() - started < 1


def _said(report: Report) -> tuple[str, list[tuple[str, str | None, str | None]]]:
    return report.kind, [(each.kind, each.recipient, each.status) for each in report.verdicts]


def _headers(raw: bytes) -> tuple[list[bytes], bytes]:
    """The header lines of a mail, each with its folded ones, and the body."""
    head, _, body = raw.partition(b"\n\n")
    return re.split(rb"\n(?![ \t])", head), body


def _reversed(raw: bytes) -> bytes:
    lines, body = _headers(raw)
    return b"\n".join(reversed(lines)) + b"\n\n" + body


def _folded(raw: bytes) -> bytes:
    lines, body = _headers(raw)
    return b"\n".join(line.replace(b" ", b"\n\t") if b"=?" not in line else line for line in lines) + b"\n\n" + body


def _unindented(raw: bytes) -> bytes:
    """Folded headers whose indentation a program took away."""
    lines, body = _headers(raw)
    return b"\n".join(re.sub(rb"(?<=;) (?=\w+=)|\n[ \t]+", b"\n", line) for line in lines) + b"\n\n" + body


def _carried(raw: bytes, encoding: str) -> bytes:
    """A mail of one part in another transfer encoding."""
    lines, body = _headers(raw)
    if any(b"multipart/" in line or b"Transfer-Encoding: b" in line or b"Encoding: q" in line for line in lines):
        return raw
    kept = [line for line in lines if not line.lower().startswith(b"content-transfer-encoding")]
    coded = base64.encodebytes(body) if encoding == "base64" else quopri.encodestring(body)
    return b"\n".join([*kept, f"Content-Transfer-Encoding: {encoding}".encode()]) + b"\n\n" + coded


def _without(raw: bytes, name: bytes) -> bytes:
    lines, body = _headers(raw)
    return b"\n".join(line for line in lines if not line.lower().startswith(name)) + b"\n\n" + body


def _untyped(raw: bytes) -> bytes:
    """A mail of parts without the header that says so."""
    return _without(raw, b"content-type") if re.search(rb"(?m)^content-type: multipart/", raw, re.I) else raw


def _attached(raw: bytes) -> bytes:
    """A bounce that a colleague passes on."""
    head = b"From: Ann <ann@us.example>\nTo: bounces@us.example\nSubject: Fwd: this came back\nContent-Type: "
    parts = b"multipart/mixed; boundary=q9\n\n--q9\n\nSee below.\n\n--q9\nContent-Type: message/rfc822\n\n"
    return head + parts + raw + b"\n--q9--\n" if classify(raw).verdicts else raw


def _wide(raw: bytes) -> bytes:
    """A mail that a program saved as UTF-16."""
    try:
        return raw.decode("utf-8").encode("utf-16")
    except UnicodeDecodeError:
        return raw


def _plain(raw: bytes) -> bool:
    lines, _ = _headers(raw)
    coded = any(b"multipart/" in line or b"Transfer-Encoding: b" in line or b"Encoding: q" in line for line in lines)
    return not coded and b"<html" not in raw


def _as_html(raw: bytes) -> bytes:
    lines, body = _headers(_without(raw, b"content-type"))
    charset = re.search(rb"charset=\"?([\w-]+)", raw)
    if not _plain(raw) or (charset and charset[1].lower().startswith(b"iso-2022")):
        return raw
    escaped = body.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;").replace(b"\n", b"<br>\n")
    kind = b"Content-Type: text/html" + (b"; charset=" + charset[1] if charset else b"")
    return b"\n".join([*lines, kind]) + b"\n\n<html><body><p>" + escaped + b"</p></body></html>\n"


def _with_a_footer(raw: bytes) -> bytes:
    said = (
        b"This e-mail is confidential. If you are not the intended recipient, delete it. Scanned for viruses and spam."
    )
    return raw + b"\n-- \n" + said + b"\n" if _plain(raw) else raw


def _with_a_warning(raw: bytes) -> bytes:
    lines, body = _headers(raw)
    said = b"CAUTION: This email originated from outside the organisation. It may be spam.\n\n"
    return b"\n".join(lines) + b"\n\n" + said + body if _plain(raw) else raw


CARRIERS = {
    "CRLF": lambda raw: raw.replace(b"\n", b"\r\n"),
    "CR": lambda raw: raw.replace(b"\n", b"\r"),
    "headers in another order": _reversed,
    "headers folded": _folded,
    "headers folded without indentation": _unindented,
    "base64": lambda raw: _carried(raw, "base64"),
    "quoted-printable": lambda raw: _carried(raw, "quoted-printable"),
    "a byte order mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "UTF-16": _wide,
    "a line of an mbox": lambda raw: b"From MAILER-DAEMON Tue Mar  3 10:00:00 2026\n" + raw,
    "a report as mixed parts": lambda raw: raw.replace(b"multipart/report", b"multipart/mixed"),
    "parts without a header": _untyped,
    "as an attachment": _attached,
    "as HTML": _as_html,
    "with a footer": _with_a_footer,
    "with a warning above": _with_a_warning,
}


@pytest.mark.parametrize("carrier", CARRIERS)
def test_how_a_mail_is_carried_does_not_change_what_it_says(carrier: str) -> None:
    for raw in MAILS[::2]:
        assert _said(classify(CARRIERS[carrier](raw))) == _said(classify(raw)), raw[:400]
