"""A text message is folded, counted and never empty."""

from __future__ import annotations

import pytest

from engine.content.compile import compile_source
from engine.rendering import sms
from engine.rendering.envelope import RenderedSms
from engine.rendering.errors import RenderError


def message(text: str, **context: object) -> RenderedSms:
    return sms.load(compile_source(text, "sms").data).render(context)


@pytest.mark.parametrize(
    ("text", "parts", "encoding"),
    [
        ("a" * 160, 1, "gsm0338"),
        ("a" * 161, 2, "gsm0338"),
        ("€" * 80, 1, "gsm0338"),
        ("€" * 81, 2, "gsm0338"),
        ("я" * 70, 1, "utf_16_be"),
        ("я" * 71, 2, "utf_16_be"),
    ],
)
def test_parts_are_counted_by_the_alphabet(text: str, parts: int, encoding: str) -> None:
    found = message("{{ t }}", t=text)
    assert (found.parts, found.encoding) == (parts, encoding)


def test_typography_is_folded_to_the_short_alphabet() -> None:
    found = message("“Hi” – it’s\u00a0{{ n }}…", n="Ann")
    assert (found.text, found.encoding) == ('"Hi" - it\'s Ann...', "gsm0338")


def test_values_are_not_escaped_and_missing_ones_are_reported() -> None:
    found = message("{{ a }} & {{ b }}", a="<x>")
    assert (found.text, found.missing) == ("<x> &", ("b",))


def test_an_empty_or_endless_text_fails() -> None:
    with pytest.raises(RenderError, match="name"):
        message("{{ name }}")
    with pytest.raises(RenderError, match="parts"):
        message("{{ name }}", name="я" * 2000)


def test_front_matter_gives_defaults() -> None:
    assert message("---\ndefaults: {name: there}\n---\nHi {{ name }}", name=None).text == "Hi there"


@pytest.mark.parametrize(
    ("written", "sent", "encoding"),
    [
        ("Cafe\u0301 “ole\u0301”", 'Café "olé"', "gsm0338"),
        ("soft\u00adhyphen `x´", "softhyphen 'x'", "gsm0338"),
        ("👨\u200d👩\u200d👧 “hi”…", "👨\u200d👩\u200d👧 “hi”…", "utf_16_be"),
        ("می\u200cخواهم", "می\u200cخواهم", "utf_16_be"),
    ],
)
def test_what_is_folded_wins_the_short_alphabet_or_stays_as_it_was(written: str, sent: str, encoding: str) -> None:
    found = message("{{ t }}", t=written)
    assert (found.text, found.encoding) == (sent, encoding)
