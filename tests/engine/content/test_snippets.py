"""Snippets become part of the contents that name them when those are compiled: nothing of them is left to render."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.content import replacing, store, taken
from engine.content.compile import compile_source
from engine.content.snippets import Library, Snippet
from engine.content.trial import sample_envelope
from engine.content.variants import VariantError
from engine.errors import InvalidInput, LanguageError, NotFound
from engine.model.content import Content, ContentVersion
from engine.previews.message import of_email
from engine.rendering.email import Renderer, load
from engine.rendering.sms import load as load_sms
from tests.engine.content.samples import content, envelope, html_of, mjml, noon

BUTTON = (
    '---\nparams: {colour: "#333333", to: }\n---\n'
    '<mj-button href="{{ param.to }}"\n  background-color="{{ param.colour }}">Go</mj-button>'
)
CLOSING = "---\nlanguage: en\n---\nSee you & yours\nThe Shop"


def library(**texts: str) -> Library:
    return {name: Snippet("email", 1, {"": text}) for name, text in texts.items()}


def page(body: str, known: Library, **context: object) -> str:
    made = compile_source(content(body), "email", library=known)
    return html_of(load(made.data).render(context, envelope(click_urls=None)))


def column(inside: str) -> str:
    return f"<mjml><mj-body><mj-section><mj-column>{inside}</mj-column></mj-section></mj-body></mjml>"


def test_a_snippet_is_compiled_in_with_its_parameters() -> None:
    known = library(button=BUTTON)
    made = page(column('{% snippet "button" to="https://a.example/?a=1&b=2" %}'), known)
    assert 'href="https://a.example/?a=1&amp;b=2"' in made and "#333333" in made
    made = page(
        column("{% snippet 'button' to=event.url, colour=\"red\" -%}"), known, event={"url": "https://b.example/"}
    )
    assert 'href="https://b.example/"' in made and 'bgcolor="red"' in made
    compiled = compile_source(content(column('{% snippet "button" to="https://a.example/" %}')), "email", library=known)
    assert compiled.data["snippets"] == {"button": 1} and "param" not in compiled.data["html"]
    assert [link["url"] for link in compiled.data["links"]] == ["https://a.example/"]


def test_snippets_stand_in_each_other() -> None:
    known = library(
        outer='---\nparams: {who: }\n---\n{% snippet "inner" name=param.who %}!',
        inner="---\nparams: {name: }\n---\n<b>{{ param.name|upper }}</b>",
    )
    assert "<b>ANN</b>!" in page(mjml('{% snippet "outer" who=first_name %}'), known, first_name="Ann")
    assert "<b>BEA</b>!" in page(mjml('{% snippet "outer" who="Bea" %}'), known)


def test_plain_text_serves_both_channels() -> None:
    known = {"closing": Snippet("sms", 4, {"": CLOSING})}
    assert re.search("See you &amp; yours<br ?/?>The Shop", page(mjml('{% snippet "closing" %}'), known))
    made = compile_source('Hello\n{% snippet "closing" %}', "sms", library=known)
    assert load_sms(made.data).render({}).text == "Hello\nSee you & yours\nThe Shop" and made.data["snippets"] == {
        "closing": 4
    }


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ('{% snippet "buton" %}', "no snippet “buton”"),
        ("{% snippet button %}", "name in quotes"),
        ('{% snippet "button" %}', "needs to"),
        ('{% snippet "button" to="x" size=3 %}', "no parameter size"),
        ('{% snippet "button" to=1+1 %}', "no parameter of a snippet"),
        ('{% snippet "button" to="{{ x }}" %}', "holds a Jinja tag"),
        ('{% snippet "round" %}', "round → again → round"),
        ('{% snippet "unnamed" %}', "reads param.x"),
        ('{% snippet "loop" of=item.name %}', "a variable of its own called item.name"),
        ('{% snippet "wrong" %}', "filter “uper”"),
    ],
)
def test_what_is_wrong_is_told_at_the_tag(tag: str, told: str) -> None:
    known = library(
        button=BUTTON,
        round='{% snippet "again" %}',
        again='{% snippet "round" %}',
        unnamed="{{ param.x }}",
        loop="---\nparams: {of: }\n---\n{% for item in list %}{{ param.of }}{% endfor %}",
        wrong="<b>\n{{ name|uper }}</b>",
    )
    with pytest.raises(LanguageError, match=told) as caught:
        compile_source(content(f"<p>\n{tag}</p>\n"), "email", library=known)
    assert caught.value.line == 5


def test_a_snippet_may_hold_blocks_for_some() -> None:
    known = library(vip='---\nparams: {plan: pro}\n---\n{% when plan is "pro" %}<b>{{ param.plan }}</b>{% endwhen %}')
    made = compile_source(content('<p>Hi</p>{% snippet "vip" plan="gold" %}'), "email", library=known)
    assert [rule["text"] for rule in made.data["rules"]] == ['plan is "pro"'] and "<b>gold</b>" in made.data["html"]


def test_where_snippets_cannot_be() -> None:
    known = library(footer="<b>x</b>")
    with pytest.raises(LanguageError, match=r"takes \.txt snippets"):
        compile_source(content("<p>x</p>", "subject: '{% snippet \"footer\" %}'"), "email", library=known)
    with pytest.raises(LanguageError, match=r"takes \.txt snippets"):
        compile_source('{% snippet "footer" %}', "sms", library=known)
    assert "never" not in page('<p>Hi</p><!-- {% snippet "gone" %} never -->', known)


def test_a_line_of_the_content_stays_the_line_that_is_told() -> None:
    known = library(two="<b>\n\n\n</b>")
    with pytest.raises(LanguageError) as caught:
        compile_source(content('<p>{% snippet "two" %}\n\n{{ x|uper }}</p>'), "email", library=known)
    assert caught.value.line == 6


def test_a_variant_takes_the_snippet_in_its_language(session: Session) -> None:
    closing = CLOSING.replace("language: en", "language: en\nparams: {name: all}") + ", {{ param.name }}"
    replacing.save(session, {"": closing, "de": "Bis bald, {{ param.name }}"}, "closing", "sms", noon)
    english = content(mjml('Hi {% snippet "closing" %}'), "language: en\nsubject: Hello")
    others = {
        tag: content(mjml(f'{said} {{% snippet "closing" %}}'), f"subject: {said}")
        for tag, said in (("de-AT", "Servus"), ("fr", "Salut"))
    }
    rows = store.rows_of(session, store.save(session, english, "hello", "email", noon, others=others).id)
    assert "Bis bald, all" in rows["de-AT"].compiled["text"] and "See you" in rows["fr"].compiled["text"]
    told = {
        language: [each["message"] for each in row.warnings if "snippet" in each["message"]]
        for language, row in rows.items()
    }
    assert told == {"": [], "de-AT": [], "fr": ["The snippet “closing” has no fr; its en stands here."]}


def test_a_new_version_of_a_snippet_makes_new_versions_of_the_contents_that_hold_it(session: Session) -> None:
    replacing.save(session, {"": "<b>one</b>"}, "inner", "email", noon)
    replacing.save(session, {"": '{% snippet "inner" %}'}, "outer", "email", noon)
    first = store.save(session, content(mjml('{% snippet "outer" %}')), "letter", "email", noon)
    store.save(session, content(mjml("Hi")), "other", "email", noon)
    assert first.snippets == {"outer": 1, "inner": 1}
    assert store.save(session, first.source, "letter", "email", noon).id == first.id
    assert [(user.slug, user.number) for user in taken.users(session, "inner")] == [("letter", 1)]
    saved = replacing.save(session, {"": "<b>two</b>"}, "inner", "email", noon)
    assert (saved.number, [(user.slug, user.number) for user in saved.contents]) == (2, [("letter", 2)])
    own = session.scalars(select(Content).where(Content.slug == "letter")).one()
    renderer = store.load_renderer(session, own.current_version_id or 0)
    assert isinstance(renderer, Renderer) and "<b>two</b>" in html_of(renderer.render({}, envelope()))
    assert replacing.save(session, {"": "<b>two</b>"}, "inner", "email", noon).contents == []
    assert store.save(session, first.source, "letter", "email", noon).id == own.current_version_id
    assert session.get_one(ContentVersion, first.id).compiled["text"].startswith("one")


def test_a_snippet_that_would_break_a_content_is_refused(session: Session) -> None:
    replacing.save(session, {"": BUTTON}, "button", "email", noon)
    store.save(session, content(column('\n{% snippet "button" to="https://a.example/" %}')), "letter", "email", noon)
    with pytest.raises(InvalidInput, match="would break the content “letter”, line 5: The snippet “button” needs size"):
        replacing.save(session, {"": BUTTON.replace("to: ", "to: , size: ")}, "button", "email", noon)


def test_a_snippet_is_tried_out_when_it_is_saved(session: Session) -> None:
    for text, line, told in (
        ("---\nparams: {a: 1}\n---\n<mj-text>\n{{ param.a|uper }}</mj-text>", 5, "filter"),
        ("<mj-txt>x</mj-txt>", 1, "no MJML component"),
        ('\n{% snippet "gone" %}', 2, "no snippet “gone”"),
        ('{% snippet "mine" %}', 1, "without end"),
        ("{% if x %}", 1, "end"),
        (
            "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
            1,
            "range|rounds|loop|much",
        ),
        ("---\nparams: [a]\n---\nx", 2, "maps names"),
        ("---\ncolour: red\n---\nx", 2, "no key"),
        ("---\n---\n ", 3, "no text"),
    ):
        with pytest.raises(VariantError, match=told) as caught:
            replacing.save(session, {"": text}, "mine", "email", noon)
        assert caught.value.line == line, text
    with pytest.raises(VariantError, match="does not say its language") as caught:
        replacing.save(session, {"": "x", "de": "y"}, "mine", "email", noon)
    assert caught.value.language == "de"
    with pytest.raises(InvalidInput, match="no name"):
        replacing.save(session, {"": "x"}, "a/b", "email", noon)
    replacing.save(session, {"": "x"}, "plain", "sms", noon)
    with pytest.raises(InvalidInput, match="plain text"):
        replacing.save(session, {"": "x"}, "plain", "email", noon)
    saved = replacing.save(session, {"": '<mj-image src="http://a.example/i.png" />'}, "image", "email", noon)
    assert {(each["kind"], each["line"]) for _, each in saved.warnings} == {("alt", 1), ("http", 1)}


def test_plain_snippets_stand_in_subject_preheader_and_text(session: Session) -> None:
    replacing.save(session, {"": "---\nparams: {who: you}\n---\nFjord\n& {{ param.who }}"}, "brand", "sms", noon)
    front = (
        'subject: "{% snippet \\"brand\\" who=first_name %}: news"\n'
        "preheader: 'From {% snippet ''brand'' %}'\n"
        'text: |\n  Hello from\n  {% snippet "brand" %}'
    )
    version = store.save(session, content(mjml("Hi"), front), "letter", "email", noon)
    assert version.snippets == {"brand": 1}
    made = store.load_renderer(session, version.id).render({"first_name": "Ann"}, sample_envelope())
    parts = of_email(made)
    assert parts.subject == "Fjord & Ann: news" and "From Fjord &amp; you" in parts.html
    assert parts.text.split()[:5] == ["Hello", "from", "Fjord", "&", "you"]


def test_a_snippet_is_deleted_once_nobody_holds_it(session: Session) -> None:
    for slug, text_ in (("inner", "<b>x</b>"), ("outer", '{% snippet "inner" %}')):
        replacing.save(session, {"": text_}, slug, "email", noon)
    store.save(session, content(mjml('{% snippet "outer" %}')), "letter", "email", noon)
    with pytest.raises(InvalidInput, match="held by the content “letter”, the snippet “outer”"):
        replacing.delete(session, "inner")
    store.save(session, content(mjml("without")), "letter", "email", noon)
    replacing.delete(session, "outer")
    replacing.delete(session, "inner")
    assert taken.listing(session) == []
    with pytest.raises(NotFound):
        replacing.delete(session, "inner")
