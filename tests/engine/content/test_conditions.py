"""Blocks by rule: the rule is taken out of its tag and checked, and its verdict chooses the block."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from engine.content import store
from engine.content.compile import compile_source
from engine.errors import LanguageError
from engine.rendering import sms
from engine.rendering.email import load
from tests.engine.content.samples import content, envelope, html_of, mjml, noon, text_of

TWICE = """<mjml><mj-body>
  {% when purchased at least 2 times
      in the last 90 days %}<mj-section><mj-column><mj-text>Our best</mj-text></mj-column></mj-section>
  {% else %}<mj-section><mj-column><mj-text>Welcome</mj-text></mj-column></mj-section>{% endwhen %}
  <mj-section><mj-column>
    <mj-text>{% when plan is "pro" and score &gt;= 5 %}Pro{% endwhen %}</mj-text>
  </mj-column></mj-section>
</mj-body></mjml>"""


def save(session: Session, body: str, front: str = "subject: Hello") -> Any:
    return store.save(session, content(body, front), "hello", "email", noon)


@pytest.mark.parametrize(("holds", "shown"), [((), "Welcome"), ((1,), "Our best"), ((2,), "Pro"), ((1, 2), "Our best")])
def test_the_verdict_chooses_the_block_in_both_parts(holds: tuple[int, ...], shown: str) -> None:
    data = compile_source(content(TWICE), "email").data
    assert [rule["text"] for rule in data["rules"]] == [
        "purchased at least 2 times\n      in the last 90 days",
        'plan is "pro" and score >= 5',
    ]
    message = load(data).render({f"cairn_when_{number}": True for number in holds}, envelope())
    for part in (html_of(message), text_of(message)):
        assert shown in part
        assert ("Our best" in part, "Welcome" in part, "Pro" in part) == (1 in holds, 1 not in holds, 2 in holds)


def test_equal_rules_are_one_and_stand_in_subject_preheader_and_text() -> None:
    front = 'subject: "{% when vip is true %}Dear{% else %}Hi{% endwhen %}"'
    front += '\npreheader: "{%- when vip is true -%}x{% endwhen %}"'
    front += '\ntext: "{% when phone is set %}T{% endwhen %} text"'
    data = compile_source(content(mjml("{% when vip is true %}Yes{% endwhen %}"), front), "email").data
    assert [rule["text"] for rule in data["rules"]] == ["vip is true", "phone is set"]
    assert data["written"] == "{% when vip is true %}Dear{% else %}Hi{% endwhen %}"
    message = load(data).render({"cairn_when_1": True}, envelope())
    assert (message.subject, text_of(message)[:5]) == ("Dear", " text") and "Yes" in html_of(message)


def test_a_text_message_has_blocks_too() -> None:
    source = "Hi{% when in segment “vip” %}, dear friend{% endwhen %}"
    renderer = sms.load(compile_source(source, "sms").data)
    assert (renderer.render({}).text, renderer.render({"cairn_when_1": True}).text) == ("Hi", "Hi, dear friend")
    assert renderer.rules == ("in segment “vip”",)


def test_a_rule_is_checked_when_it_is_saved(session: Session) -> None:
    store.save(session, content(mjml("x")), "welcome", "email", noon)
    body = mjml("{% when\n  opened “welcom” in the last 2 days %}x{% endwhen %}")
    with pytest.raises(LanguageError) as refused:
        save(session, body)
    told = refused.value
    assert (told.line, told.column, told.hint) == (5, 3, "Did you mean `welcome`?")
    assert told.message == "In this rule: there is no content “welcom”."
    saved = save(session, mjml("{% when plann is “pro” or purchased %}x{% endwhen %}"))
    assert ("rule", 4) in {(one["kind"], one["line"]) for one in saved.warnings}


@pytest.mark.parametrize(
    ("inside", "line", "column", "message"),
    [
        ("\n{% when plan iss 3 %}x{% endwhen %}", 5, 14, "did not expect"),
        ("{% when %}x{% endwhen %}", 4, 56, "the rule is empty"),
        ("{% when plan is set %}x", 4, 48, "endwhen"),
        ("{% when plan is set %}</mj-text><mj-text>{% endwhen %}", 4, 89, "another element"),
        ("{{ cairn_when_1 }}", 4, 48, "Cairn's own"),
        ("{% when purchased since step %}x{% endwhen %}", 4, 66, "no meaning in a content"),
        ("".join(f"{{% when n is {n} %}}x{{% endwhen %}}" for n in range(21)), 4, 678, "at most 20 rules"),
    ],
)
def test_what_does_not_read_is_told_at_its_place(
    session: Session, inside: str, line: int, column: int, message: str
) -> None:
    with pytest.raises(LanguageError) as refused:
        save(session, mjml(inside))
    assert (refused.value.line, refused.value.column) == (line, column) and message in refused.value.message


def test_a_content_without_rules_is_as_it_was() -> None:
    data = compile_source(content(mjml("when it rains {{ when }}")), "email").data
    assert (data["rules"], data["names"]) == ([], ["when"])
    assert load(data).rules == ()
