"""What parses mail and templates: replies of servers, the journal, the local mailbox, contents.

There is no reader of bounces (DSN, ARF) yet; it joins here with the change that brings it. Bounds: 10 ms a reply, a
journal or a message, 250 ms a content.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.channels import journal
from engine.channels.provider import Result
from engine.channels.smtp.handshake import Extensions
from engine.channels.smtp.reply import ProtocolError, ReplyReader, longest_line, most_lines
from engine.content.check import compile_safely
from engine.content.compile import compile_source
from engine.errors import CairnError, LanguageError
from tests.engine.content.samples import content, mjml, rendered
from tests.fuzz import hostile
from tests.fuzz.bounds import EFFORT, fuzz, within
from webapp.pages.mail_parts import read_parts
from workers.mailbox import Mail

REPLIES = (
    b"250 2.1.0 Ok\r\n", b"250-mx.example.com\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 SMTPUTF8\r\n", b"354 Go\r\n",
    b"421 4.7.0 Too many connections\r\n", b"550-5.1.1 No such\r\n550 5.1.1 user\r\n", b"334 VXNlcm5hbWU6\r\n",
    b"250\r\n",
)  # fmt: skip
REPLY_PIECES = (
    b"250", b"250-", b"250 ", b"-", b" ", b"\r", b"\n", b"\0", b"\xff", b"999 ", b"25", b"SIZE ", b"SIZE 9e9\r\n",
    b"SIZE " + b"9" * 5_000, b"\xb2\xb3\xb9 ", b"x" * 20_000, b"AUTH=LOGIN", b"5.1.1",
)  # fmt: skip


@fuzz(200)
@given(hostile.mutated_bytes(REPLIES, REPLY_PIECES) | st.binary(max_size=60), st.integers(1, 7))
@example(b"250-\r\n" * (most_lines + 5), 1)
@example(b"250 " + b"x" * (longest_line + 5), 5_000)
@example(b"250-mx\r\n250 SIZE " + b"9" * 5_000 + b"\r\n", 7)
def test_replies_of_a_server(data: bytes, size: int) -> None:
    reader = ReplyReader()
    with within(0.01 + len(data) / 1e5, data):
        try:
            for begin in range(0, len(data), size):
                for reply in reader.feed(data[begin : begin + size]):
                    assert 200 <= reply.code < 600 and str(reply)
                    assert reply.busy in (True, False)
                    assert Extensions.parse(reply).largest >= 0
        except ProtocolError as error:
            assert len(str(error)) < 500
    assert len(reader.rest) <= longest_line + size and len(reader.lines) <= most_lines + 1


LINES = (
    b"boot x\n", b"try 12 1\n", b"reply 12 1 accepted dot 250 2.0.0 Ok queued\n", b"reply 13 2 retry rcpt 450 - busy\n",
    b"boot x\ntry 1 1\ntry 2 1\nreply 1 1 failed dot 550 5.1.1 no\n",
)  # fmt: skip
LINE_PIECES = (
    b"\0" * 9,
    b"\n",
    b" ",
    b"-",
    b"try ",
    b"reply ",
    b"\xff",
    "١".encode(),
    b"9" * 30,
    b"9" * 5_000,
    b"x",
    b".",
)


@fuzz(200)
@given(hostile.mutated_bytes(LINES, LINE_PIECES) | st.binary(max_size=80))
@example(b"boot x\ntry 1 2\0\0\0\n")
def test_a_damaged_journal_is_read(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(data)
    with within(0.01, data):
        known = journal.read(path)
    for (message, attempt), result in known.entries.items():
        assert isinstance(message, int) and isinstance(attempt, int) and isinstance(result, Result | None)


MAILS = (
    b"From: A <a@example.com>\r\nTo: b@example.com\r\nSubject: =?utf-8?q?Hi_=C3=A4?=\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\nX-Cairn-Message: tok\r\n\r\n--b\r\nContent-Type: text/plain; '
    b'charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nH=C3=A4\r\n--b\r\nContent-Type: text/html'
    b"\r\n\r\n<p>Hi</p>\r\n--b--\r\n",
    b"Subject: x\r\nContent-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+\r\n",
)  # fmt: skip
MAIL_PIECES = (
    b"\r\n", b"\r\n ", b"\n", b"\0", b"\xff", b"=?utf-8?b?a?=", b"=?utf-7?q?+2AA-?=", b"=?x?q??=", b"=?idna?q?a?=",
    b'"',
    b"<", b">", b"(", b")", b"@", b",", b";", b":", b"group:", b"=", b"--b", b"text/", b"message/rfc822",
    b"charset=idna",
    b"charset=punycode", b"charset=undefined", b"charset=unicode_escape", b'charset="\0"', b"charset=base64",
    b"multipart/mixed",
    b"Content-Disposition: attachment; filename*=utf-8''%ff\r\n", b"Date: x\r\n", b"From: \r\n", b"Message-ID: <\r\n",
    b"Content-Type: \r\n", b"To: =?utf-8?q?a=0D=0ABcc:_e=40x?=\r\n", b"Content-Transfer-Encoding: uuencode\r\n",
    b"(" * 300,
)  # fmt: skip


@fuzz(250)
@given(hostile.mutated_bytes(MAILS, MAIL_PIECES) | st.binary(max_size=80))
@example(b"Subject: =?utf-8?b?a?=\r\n\r\n")
@example(b"Subject: =?utf-7?q?+2AA-?=\r\n\r\n")
@example(b"Content-Type: text/html; charset=idna\r\n\r\n\xff")
def test_mail_is_kept_and_shown_whatever_it_is(raw: bytes) -> None:
    mail = Mail("a@example.com", ("b@example.com",), raw, lambda _: None)
    with within(0.05, raw):
        for row in mail.rows():
            assert all("\0" not in value and value.encode() for value in row if isinstance(value, str))
        parts = read_parts("email", raw)
    for shown in (parts.html, parts.text, parts.source, *(text for header in parts.headers for text in header)):
        assert shown is None or shown.encode() is not None


STORED = [path.read_text("utf-8") for path in sorted((Path(__file__).parents[2] / "templates" / "messages").iterdir())]
BODY = mjml(
    'Hello {{ name | default("you") }} {% if plan == "pro" %}x{% else %}<b>y</b>{% endif %} <a href="https://x.y">z</a>'
)
CONTENTS = (
    *STORED,
    content(BODY),
    content("<html><body>{{ a.b }}<a href='{{ url }}'>x</a></body></html>", "subject: 'a'"),
)
CONTENT_PIECES = (
    "{{", "}}", "{%", "%}", "{#", "#}", "{% if a %}", "{% endif %}", "{% for x in y %}", "{% endfor %}", "{{ a.b[0] }}",
    "{% raw %}", "{% set a = 1 %}", "{% include 'x' %}", "<mj-text>", "</mj-text>", "<mj-raw>",
    "<mj-include path='/etc/passwd'/>",
    "<!--", "-->", "<", ">", "&", "&lt;", "/>", "<mj-section", "<script>", 'href="', "'", "---\n", "defaults:\n",
    "&a *a ",
    "!!python/name:os.system ", "{{ ''.__class__ }}", "{{ x() }}", "{{ 'x' * 10 ** 9 }}", "{{ 9 ** 9 ** 9 }}", "]]>",
    "<![CDATA[",
)  # fmt: skip


@fuzz(120)
@given(hostile.mutated(CONTENTS, CONTENT_PIECES) | hostile.texts, st.sampled_from(("email", "email", "sms")))
def test_contents_compile_or_say_where_they_do_not(text: str, channel: str) -> None:
    with within(0.25, text):
        try:
            compiled = compile_source(text, channel)
        except LanguageError as error:
            assert error.message and error.line >= 1 and error.column >= 1
            return
    assert isinstance(compiled.data, dict)


def bombs() -> dict[str, str]:
    aliases = "\n".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))
    return {
        "aliases": content(BODY, f"subject: x\ndefaults:\n  a0: &a0 [x]\n{aliases}"),
        "self": content(BODY, "subject: x\ndefaults: &a {b: *a}"),
        "power": content(mjml("{{ 9 ** 9 ** 9 }}")),
        "product": content(mjml("{{ 'x' * 10 ** 10 }}")),
        "loops": content(mjml("{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}")),
        "nesting": content("<mjml><mj-body>" + "<div>" * 20_000 + "</mj-body></mjml>"),
        "brackets": content(mjml("{{ " + "(" * 20_000 + " }}")),
        "blocks": content(mjml("{% if a %}" * 5_000 + "{% endif %}" * 5_000)),
        "front brackets": content(BODY, "subject: " + "[" * 50_000),
    }


@pytest.mark.parametrize("name", sorted(bombs()) if EFFORT > 1 else ["aliases", "brackets", "loops", "product"])
def test_a_bomb_ends_its_own_process_alone(name: str) -> None:
    try:
        compile_safely(bombs()[name], "email")
    except CairnError as error:
        assert isinstance(error, LanguageError), error


merge_values = st.recursive(hostile.scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=4)


@fuzz(60)
@given(merge_values, merge_values)
def test_merge_fields_of_any_value_reach_no_header(name: object, address: object) -> None:
    from engine.rendering.errors import RenderError

    with within(0.1, (name, address)):
        try:
            made = rendered(mjml("{{ name }} {{ a }}"), {"name": name, "a": address}, "subject: Hi {{ name }}")
        except RenderError:
            return
    head = made.raw.split(b"\r\n\r\n", 1)[0] if hasattr(made, "raw") else b""
    assert b"\nBcc" not in head and b"\0" not in head
