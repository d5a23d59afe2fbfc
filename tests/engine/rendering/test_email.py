"""A rendered email is a complete, safe and valid message, and never an empty one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LanguageError
from engine.rendering.email import load
from engine.rendering.errors import LimitError, RenderError
from tests.engine.content.samples import compiled, envelope, html_of, mjml, parsed, rendered, text_of

nasty = [
    "=?utf-8?q?a=0D=0ABcc:_e=40x.example?=",
    "a\r\nBcc: e@x.example",
    "a\x00b\x1b[1m",
    'Ann" <evil@x.example>, "b',
    "a, b@x.example",
    "x" * 500,
    "é" * 300,
    "Ann\u2028Bcc: e@x.example",
    "(comment) <a@b>",
    "\\",
    '"',
    "=?=?==?utf-8?b?QQ==?=",
]


def check_headers(message: Any) -> None:
    found = parsed(message)
    assert found["Bcc"] is None
    assert [address for _, address in getaddresses([str(found["To"])])] == ["ann@example.org"]
    head = message.data.split(b"\r\n\r\n")[0]
    assert all(len(line) <= 998 for line in head.split(b"\r\n")) and b"\n" not in head.replace(b"\r\n", b"")
    assert len(found["To"].addresses) == 1 and not found.defects


@pytest.mark.parametrize("name", nasty)
def test_a_name_cannot_inject_headers_or_addresses(name: str) -> None:
    check_headers(rendered(mjml("x"), {"name": name}, "subject: 'Hi {{ name }}'", to_name=name))


@settings(max_examples=100, deadline=None)
@given(name=st.text(max_size=120))
def test_no_name_at_all_injects_anything(name: str) -> None:
    message = load(ready).render({"name": name}, envelope(to_name=name))
    check_headers(message)
    spoken = " ".join(str(parsed(message)["Subject"]).split())
    assert spoken == " ".join(message.subject.split())


ready = compiled(mjml("x"), "subject: 'Hi {{ name|default(\"you\") }}'").data


def test_the_headers_of_a_message() -> None:
    message = rendered(mjml("x"), {})
    found = parsed(message)
    assert found["From"] == "The Shop <shop@example.com>" and found["Message-ID"] == "<tok123@mail.example.com>"
    assert found["Date"].datetime == envelope().date and found["MIME-Version"] == "1.0"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" and found["X-Cairn-Message"] == "tok123"
    assert found["Feedback-ID"] == "camp:journey:stream:shop"
    assert found.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "text/html"]


def test_list_unsubscribe_is_raw_with_one_uri_a_line() -> None:
    data = rendered(mjml("x"), {}).data
    url = b"https://t.example.com/u/" + b"x" * 90
    assert b"\r\nList-Unsubscribe: <" + url + b">,\r\n <mailto:u+tok123@example.com>\r\n" in data


def test_lines_are_short_and_none_begins_with_a_dot() -> None:
    data = rendered(mjml("<p>.a</p>\n.b {{ c }}" + "word " * 400), {"c": "." * 200}, "subject: '{{ c }}'").data
    lines = data.split(b"\r\n")
    assert all(len(line) <= 78 or line.startswith(b"List-Unsubscribe:") for line in lines)
    assert not any(line.startswith(b".") for line in lines)
    assert b"\n" not in data.replace(b"\r\n", b"")


def test_html_is_escaped_and_text_is_not() -> None:
    message = rendered(mjml('{{ a }} <span title="{{ a }}">b</span>'), {"a": '<b a="\'">&'})
    assert '&lt;b a=&#34;&#39;&#34;&gt;&amp; <span title="&lt;b a=&#34;&#39;&#34;&gt;&amp;">' in html_of(message)
    assert '<b a="\'">&' in text_of(message)


def test_a_field_declared_as_html_is_sanitised() -> None:
    message = rendered(
        mjml("{{ event.story }}"),
        {"event": {"story": "<b>Hi</b><script>x</script>"}},
        "subject: a\nhtml: [event.story]",
    )
    assert "<b>Hi</b>" in html_of(message) and "<script" not in html_of(message)
    assert text_of(message).startswith("Hi")


@pytest.mark.parametrize("blank", [{}, {"name": None}, {"name": ""}, {"name": "  "}])
def test_a_blank_value_takes_its_default(blank: dict[str, Any]) -> None:
    front = "subject: 'Hi {{ name }}'\ndefaults: {name: there, event.name: thing}"
    message = rendered(mjml("{{ name }} {{ event.name }} {{ plan|default('free') }}"), blank, front)
    assert (message.subject, message.missing) == ("Hi there", ())
    assert text_of(message).startswith("there thing free")


def test_a_default_holds_for_both_names_of_a_field() -> None:
    message = rendered(mjml("{{ name }}={{ contact.name }}"), {"contact": {}}, "subject: a\ndefaults: {name: there}")
    assert text_of(message).startswith("there=there") and message.missing == ()


@pytest.mark.parametrize(
    ("test", "value", "expected"),
    [("a > 3", 5, "yes"), ("a > 3", "5", "yes"), ("a < 3", "x", "no"), ("a >= 3", None, "no"), ("a <= 3", [1], "no")],
)
def test_a_comparison_that_makes_no_sense_is_false(test: str, value: Any, expected: str) -> None:
    message = rendered(mjml("{% if " + test + " %}yes{% else %}no{% endif %}"), {"a": value})
    assert text_of(message).startswith(expected)


def test_functions_are_not_shown() -> None:
    assert text_of(rendered(mjml("[{{ range }}]"), {})).startswith("[]")


def test_a_missing_value_shows_as_nothing_and_is_reported() -> None:
    body = mjml(
        "[{{ a }}][{{ b.c.d }}][{{ e|upper }}][{{ f ~ 'x' }}]"
        "{% for i in g.h %}{{ i }}{% endfor %}{% if k %}{{ k }}{% endif %}"
    )
    message = rendered(body, {"b": {"c": None}, "g": {"h": None}})
    assert text_of(message).startswith("[][][][x]\n")
    assert set(message.missing) == {"a", "b.c.d", "e", "f", "g.h"}


@pytest.mark.parametrize(
    ("body", "front", "names"),
    [
        ("x", "subject: '{{ name }}'", "name"),
        ("{{ name }}", "subject: a", "name"),
        ("{% if name %}x{% endif %}", "subject: a", ""),
    ],
)
def test_a_message_that_would_be_empty_fails_instead(body: str, front: str, names: str) -> None:
    with pytest.raises(RenderError) as caught:
        rendered(mjml(body), {}, front)
    assert names in str(caught.value) and caught.value.permanent


def test_only_mappings_are_reached_into() -> None:
    class Secret:
        password = "hunter2"

    message = rendered(
        mjml("[{{ a.password }}{{ a.__class__ }}{{ b.__class__ }}{{ b.upper }}]"), {"a": Secret(), "b": "x"}
    )
    assert text_of(message).startswith("[]")


def test_a_template_that_takes_too_much_of_this_contact_fails() -> None:
    with pytest.raises(LimitError):
        rendered(mjml("x{% for a in l %}{% for b in l %}{{ b }}{% endfor %}{% endfor %}"), {"l": list(range(200))})


def test_a_failing_expression_is_a_permanent_render_error() -> None:
    with pytest.raises(RenderError) as caught:
        rendered(mjml("x {{ a / 0 }}"), {"a": 1})
    assert caught.value.permanent


def test_international_addresses() -> None:
    message = rendered(mjml("x"), {}, to_address="ann@bücher.example", to_name="Zoë Müller")
    assert message.recipient == "ann@xn--bcher-kva.example" and not message.smtputf8
    assert parsed(message)["To"] == "Zoë Müller <ann@xn--bcher-kva.example>"
    utf8 = rendered(mjml("x"), {}, to_address="zoë@example.org")
    assert utf8.smtputf8 and utf8.recipient == "zoë@example.org" and "To: Ann <zoë@example.org>".encode() in utf8.data


@pytest.mark.parametrize(
    "address",
    ["", "ann", "@example.org", "ann@", "a b@exa mple.org", "a\n@example.org", "é<b@example.org", "a@-.example"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(RenderError):
        rendered(mjml("x"), {}, to_address=address)


def test_an_international_site_still_writes_ascii_headers() -> None:
    data = rendered(
        mjml("x"), {}, message_domain="bücher.example", feedback_id="bücher:a", from_address="s@bücher.example"
    ).data
    assert data.isascii() and b"Message-ID: <tok123@xn--bcher-kva.example>" in data


def test_a_subject_in_words_of_any_script_reads_back() -> None:
    for subject in ("Grüße " * 30, "日本語" * 40, "😀" * 60, "plain " * 40, "x" * 200):
        assert (
            str(parsed(rendered(mjml("x"), {"s": subject}, "subject: '{{ s }}'"))["Subject"]).split() == subject.split()
        )


def test_a_sender_of_the_content_wins() -> None:
    found = parsed(
        rendered(mjml("x"), {}, 'subject: a\nfrom: "Mara, founder <mara@example.com>"\nreply_to: help@example.com')
    )
    assert found["From"].addresses[0].addr_spec == "mara@example.com" and found["Reply-To"] == "help@example.com"


def test_answers_go_to_a_name_and_an_address() -> None:
    front = 'subject: a\nreply_to: "Jörg Müller, Service <help@bücher.example>"'
    answers = parsed(rendered(mjml("x"), {}, front))["Reply-To"].addresses
    assert [(one.display_name, one.addr_spec) for one in answers] == [
        ("Jörg Müller, Service", "help@xn--bcher-kva.example")
    ]


@pytest.mark.parametrize("key", ["from", "reply_to"])
@pytest.mark.parametrize(
    "value",
    ["Shop <help@>", "a@b@c.example", "Shop <help@not a domain>", "a@x.example, b@x.example", "jörg@x.example"],
)
def test_an_address_that_no_mail_could_have_is_refused_at_its_line(key: str, value: str) -> None:
    with pytest.raises(LanguageError, match=f"{key}: .* address") as refused:
        compiled(mjml("x"), f'subject: a\n{key}: "{value}"')
    assert refused.value.line == 3


def test_threads_share_a_renderer() -> None:
    renderer = load(
        compiled(mjml("{{ name }}{% set x %}{{ name }}{% endset %}{{ x }}{{ gone }}"), "subject: '{{ name }}'").data
    )

    def one(number: int) -> bool:
        message = renderer.render({"name": f"n{number}"}, envelope())
        return text_of(message).startswith(f"n{number}n{number}\n") and message.missing == ("gone",)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(200)))


@settings(max_examples=60, deadline=None)
@given(first=st.text(max_size=40), city=st.text(max_size=40))
def test_values_of_any_kind_arrive_as_they_are(first: str, city: str) -> None:
    message = load(letter).render({"first": first, "city": city}, envelope())
    expected = f"[{first}|{city}]".replace("\r\n", "\n").replace("\r", "\n")
    assert expected in text_of(message)


letter = compiled(mjml("x"), "subject: a\ntext: |\n  [{{ first }}|{{ city }}]\n").data


@pytest.mark.parametrize("site", ["https://t.example", "https://news." + "a-long-name." * 4 + "example"])
def test_addresses_that_need_no_encoding_make_the_same_message(site: str) -> None:
    body = '<a href="https://shop.example/1">one</a> <a href="https://shop.example/2">two</a> {{ unsubscribe_url }}'
    urls: dict[str, Any] = {
        "open_url": f"{site}/o/aB-_9",
        "unsubscribe_url": f"{site}/u/" + "u" * 47,
        "click_urls": lambda positions: [f"{site}/c/{position}" + "c" * 38 for position in positions],
    }
    plain = rendered(mjml(body), {}, **urls, plain_urls=True)
    assert plain.data == rendered(mjml(body), {}, **urls).data
    assert max(map(len, plain.data.split(b"\r\n\r\n", 1)[1].split(b"\r\n"))) <= 76
    assert f"{site}/u/".encode() in plain.data and f"{site}/c/1" in html_of(plain) and f"{site}/o/" in html_of(plain)


@pytest.mark.parametrize("address", ["ann@x.example", "ann.b@x.example", "a.b.c@x.example", "a" * 64 + "@x.example"])
def test_each_spelling_of_a_local_part_reaches_its_line(address: str) -> None:
    message = rendered(mjml("x"), {}, to_address=address)
    assert message.recipient == address and f"<{address}>".encode() in message.data.replace(b"\r\n ", b"")
