"""A template that takes too much is refused at save time, whatever it does; a good one comes through unchanged."""

from __future__ import annotations

import pytest

from engine.content import check
from engine.content.check import compile_safely
from engine.errors import LanguageError
from tests.engine.content.samples import compiled, content, mjml

doubled = "{% set a = 'xxxxxxxx' %}"
bombs = [
    "{% for a in range(1000) %}{% for b in range(1000) %}x{% endfor %}{% endfor %}",
    "{% for i in range(100000000) %}{% endfor %}",
    "{{ 'x' * 200000000 }}",
    "{{ 9 ** 999999999 }}",
    "{{ '%1000000000d' % 1 }}",
    doubled + "{% set a = a ~ a %}" * 40 + "{{ a }}",
    doubled + "{% set a = a + a %}" * 40 + "{{ a }}",
    doubled + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40 + "{{ a }}",
    doubled + "{% set a = a|replace('x', 'xxxxxxxx') %}" * 20 + "{{ a }}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
]


@pytest.mark.parametrize("bomb", bombs)
def test_a_bomb_is_refused(bomb: str) -> None:
    with pytest.raises(LanguageError):
        compile_safely(content(mjml("hello " + bomb)), "email")


def test_what_our_own_counters_miss_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "module", "tests.engine.content.spinning")
    monkeypatch.setattr(check, "idle", [])
    with pytest.raises(LanguageError, match="seconds"):
        compile_safely("x", "email")


def test_a_good_content_comes_through_as_compiled_here() -> None:
    text = mjml("Hi {{ name|default('you') }}")
    made = compile_safely(content(text), "email")
    assert made.data == compiled(text).data


def test_a_content_that_fails_for_an_unknown_contact_is_warned_of() -> None:
    made = compile_safely(content(mjml("x"), "subject: '{{ name }}'"), "email")
    assert "fails-empty" in {note["kind"] for note in made.warnings}


def test_a_content_that_fails_whatever_the_values_is_told_so() -> None:
    made = compile_safely(content(mjml("{{ 1 / 0 }}"), "subject: Hi"), "email")
    assert "Nobody may get a message" in next(
        note["message"] for note in made.warnings if note["kind"] == "fails-empty"
    )
