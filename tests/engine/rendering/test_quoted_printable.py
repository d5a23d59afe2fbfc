"""Quoted-printable inside a template equals quoted-printable around its output."""

from __future__ import annotations

import quopri
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rendering import quoted_printable
from engine.rendering.email import output, part
from engine.rendering.environment import environment, functions
from engine.rendering.limits import State, current
from engine.rendering.trees import prepare

awkward = st.text(
    st.one_of(st.sampled_from(list(".= \t\n\r<>&\"'é☃😀a0-\u2028\x0b\x85")), st.characters(exclude_categories=["Cs"])),
    max_size=200,
)
single = awkward.map(
    lambda text: text.replace("\r", "\n")
)  # CR at the end of one piece and LF at the start of the next
constant = single.map(lambda text: text.replace("{", "(").replace("}", ")").replace("#", "+"))
expression = st.sampled_from(
    ["{{ a }}", "{{ b }}", "{{ a|upper }}", "{{ c.d }}", "{{ a ~ b }}", "{{ gone }}", "{{ 3 }}"]
)


@st.composite
def sources(draw: st.DrawFn, capturing: bool) -> str:
    """A template of constants, expressions, conditions and loops, nested correctly."""

    def body(depth: int) -> str:
        pieces = []
        for _ in range(draw(st.integers(0, 4))):
            kind = draw(st.integers(0, 5 if depth else 2))
            if kind <= 1:
                pieces.append(draw(constant))
            elif kind == 2:
                pieces.append(draw(expression))
            elif kind == 3:
                pieces.append(
                    "{% if "
                    + draw(st.sampled_from(["a", "gone", "b == a"]))
                    + " %}"
                    + body(depth - 1)
                    + "{% else %}"
                    + body(depth - 1)
                    + "{% endif %}"
                )
            elif kind == 4:
                pieces.append("{% for i in items %}" + body(depth - 1) + "{{ i }}{% endfor %}")
            elif capturing:
                pieces.append("{% set y %}" + body(depth - 1) + "{% endset %}{{ y }}")
        return "".join(pieces)

    return body(2)


def lines_are_safe(encoded: str) -> bool:
    """No line past 76 characters, none that begins with a dot, only ASCII, only CRLF, no blank before a line's end."""
    lines = encoded.split("\r\n")
    return encoded.isascii() and all(
        len(line) <= 76
        and not line.startswith(".")
        and "\n" not in line
        and "\r" not in line
        and line.rstrip(" \t") == line
        for line in lines
    )


def normal(text: str) -> str:
    """Line breaks as they travel."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


def slow(source: str, values: dict[str, Any], *, html: bool) -> str:
    env = environment(html=html)
    return "".join(output(env, prepare(env.parse(source), {}, frozenset()))(values))


def rendered(source: str, values: dict[str, Any], *, html: bool) -> tuple[str, str]:
    current.set(State())
    values = dict(functions) | values
    compiled = {"defaults": {}, "html_fields": []}
    return "".join(part(source, compiled, html=html)(values)), slow(source, values, html=html)


@settings(max_examples=150, deadline=None)
@given(text=awkward)
def test_encoding_decodes_to_the_text_and_its_lines_are_safe(text: str) -> None:
    encoded = quoted_printable.piece(text)
    assert lines_are_safe(encoded)
    assert quopri.decodestring(encoded.encode()).decode() == normal(text)


@pytest.mark.parametrize("length", range(66, 80))
@pytest.mark.parametrize("end", [" \n", "\t\n", "é \n", "= \n\n", ".\t", "  \n"])
def test_a_blank_at_the_end_of_a_full_line_does_not_make_it_longer(length: int, end: str) -> None:
    text = "a" * length + end + "b"
    encoded = quoted_printable.encode(text)
    assert lines_are_safe(encoded.decode())
    assert quopri.decodestring(encoded).decode() == normal(text)


@settings(max_examples=150, deadline=None)
@given(source=sources(capturing=False), a=single, b=single, items=st.lists(single, max_size=3), html=st.booleans())
def test_a_precompiled_template_decodes_to_its_plain_rendering(
    source: str, a: str, b: str, items: list[str], html: bool
) -> None:
    fast, expected = rendered(source, {"a": a, "b": b, "c": {"d": b}, "items": items}, html=html)
    assert lines_are_safe(fast)
    assert quopri.decodestring(fast.encode()).decode() == normal(expected)


@settings(max_examples=60, deadline=None)
@given(source=sources(capturing=True), a=single, items=st.lists(single, max_size=2), html=st.booleans())
def test_a_template_that_captures_output_is_encoded_afterwards(
    source: str, a: str, items: list[str], html: bool
) -> None:
    encoded, expected = rendered(source, {"a": a, "b": "b", "c": {"d": 1}, "items": items}, html=html)
    assert lines_are_safe(encoded)
    assert quopri.decodestring(encoded.encode()).decode() == normal(expected)


@pytest.mark.parametrize(
    "source",
    [
        "{% set x %}{{ a }}{% endset %}{{ x|upper }}",
        "{% filter upper %}{{ a }}{% endfilter %}",
        "{% macro m(v) %}<{{ v }}>{% endmacro %}{{ m(a) }}{{ m('é') }}",
        "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}{{ a }}{% endcall %}",
    ],
)
def test_each_capturing_construct_takes_the_slow_path(source: str) -> None:
    assert quoted_printable.captures(environment(html=True).parse(source))
    encoded, expected = rendered(source, {"a": ".é&"}, html=True)
    assert quopri.decodestring(encoded.encode()).decode() == expected


@pytest.mark.parametrize("length", range(65, 90))
@pytest.mark.parametrize("last", [".", "é", " ", "x", "="])
def test_a_piece_of_any_length_leaves_room_for_its_soft_break(length: int, last: str) -> None:
    encoded = quoted_printable.piece("a" * length + last)
    assert lines_are_safe(encoded)
    assert quopri.decodestring(encoded.encode()).decode() == "a" * length + last


def test_a_lone_dot_never_stands_at_the_beginning_of_a_line() -> None:
    encoded, _ = rendered("Hello\n.\n..{{ a }}\n{{ a }}", {"a": ".end"}, html=False)
    assert not any(line.startswith(".") for line in encoded.split("\r\n"))


@pytest.mark.parametrize(
    "value",
    [
        "https://a.example/" + "x" * 53 + ".y",
        "https://a.example/" + "x" * 90,
        "." + "a" * 99,
        "a" + "." * 99,
        "a.." * 40,
    ],
)
def test_an_address_of_any_shape_as_a_value(value: str) -> None:
    encoded = quoted_printable.text_value(value)
    assert lines_are_safe(encoded)
    assert not any(line.startswith(".") for line in encoded.split("\r\n"))
    assert quopri.decodestring(encoded.encode()).decode() == value
