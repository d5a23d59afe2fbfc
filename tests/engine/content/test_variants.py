"""A content in several languages is one version; each language is a row that says what differs from the default."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.content import store
from engine.content.compile import compile_source
from engine.content.variants import VariantError, Variants
from engine.errors import LanguageError
from engine.model.content import Content
from engine.rendering.email import Renderer
from engine.rendering.envelope import RenderedEmail
from tests.engine.content.samples import content, envelope, html_of, mjml, noon

english = content(
    mjml('Hi {{ first_name }} <a href="https://a.example/en">shop</a>'),
    "language: en\nsubject: Hello\nfrom: Shop <shop@example.com>\ndefaults: {first_name: you}\nutm: {source: mail}",
)
german = content(mjml('Hallo {{ vorname }} <a href="https://a.example/de">Laden</a>'), "subject: Guten Tag")
arabic = content("<p>مرحبا</p>", "subject: مرحبا")


def rendered(session: Session, version_id: int) -> RenderedEmail:
    renderer = store.load_renderer(session, version_id)
    assert isinstance(renderer, Renderer)
    return renderer.render({}, envelope())


def test_all_languages_are_one_version(session: Session) -> None:
    first = store.save(session, english, "hello", "email", noon, ours=True, others={"de": german, "ar": arabic})
    rows = store.rows_of(session, first.id)
    assert [(row.language, row.number) for row in rows.values()] == [("en", 1), ("ar", 1), ("de", 1)]
    own = session.scalars(select(Content)).one()
    assert own.current_version_id == first.id and own.variants == {row.language: row.id for row in rows.values()}
    assert (
        store.save(session, english, "hello", "email", noon, ours=True, others={"de": german, "ar": arabic}).id
        == first.id
    )
    changed = store.save(session, english, "hello", "email", noon, ours=True, others={"de": german + " "})
    assert [(row.language, row.number) for row in store.rows_of(session, changed.id).values()] == [("en", 2), ("de", 2)]
    alone = store.save(session, english, "hello", "email", noon, ours=True)
    assert (alone.number, own.variants) == (3, None)


def test_a_variant_takes_over_all_but_words(session: Session) -> None:
    first = store.save(session, english, "hello", "email", noon, ours=True, others={"de": german, "ar": arabic})
    rows = store.rows_of(session, first.id)
    mail = rendered(session, rows["de"].id)
    assert mail.subject == "Guten Tag" and b"From: Shop <shop@example.com>" in mail.data
    assert b"Content-Language: de\r\n" in mail.data and b"Content-Language: en\r\n" in rendered(session, first.id).data
    page = html_of(mail)
    assert '<html lang="de" dir="ltr"' in page and ">Abmelden</a>" in page and ">Einstellungen</a>" in page
    assert 'dir="auto"' not in page and "lang" not in {each["kind"] for each in rows["de"].warnings}
    assert '<html lang="ar" dir="rtl"' in html_of(rendered(session, rows["ar"].id))
    assert [link["url"] for link in rows["de"].compiled["links"]] == ["https://a.example/de?utm_source=mail"]


def test_what_differs_between_languages_is_told(session: Session) -> None:
    untranslated = content(mjml("Hi"), "subject: Hello")
    first = store.save(session, english, "hello", "email", noon, ours=True, others={"de": german, "fr": untranslated})
    rows = store.rows_of(session, first.id)
    told = [each["message"] for each in rows["de"].warnings]
    assert "Only de has the variables vorname." in told and "Only en has the variables first_name." in told
    assert "Only en has the links https://a.example/en?utm_source=mail." in told
    assert "The subject is the same in fr as in en." in [each["message"] for each in rows["fr"].warnings]


def test_a_page_that_says_another_language_than_its_file_is_told(session: Session) -> None:
    copied = content(mjml("Hallo").replace("<mjml>", '\n<mjml lang="en">'), "subject: Guten Tag")
    first = store.save(session, english, "hello", "email", noon, ours=True, others={"de": copied})
    told = [each for each in store.rows_of(session, first.id)["de"].warnings if each["kind"] == "lang"]
    assert [(each["line"], "“en”" in each["message"]) for each in told] == [(5, True)]


def test_a_fault_names_the_language_and_nothing_is_saved(session: Session) -> None:
    with pytest.raises(VariantError, match="never closed") as caught:
        store.save(session, english, "hello", "email", noon, ours=True, others={"de": content(mjml("{{ n"))})
    assert (caught.value.language, caught.value.line) == ("de", 4)
    with pytest.raises(VariantError, match="does not say its language"):
        store.save(session, content(mjml("Hi")), "hello", "email", noon, ours=True, others={"de": german})
    with pytest.raises(VariantError, match="language: fr"):
        store.save(
            session,
            english,
            "hello",
            "email",
            noon,
            ours=True,
            others={"de": german.replace("subject", "language: fr\nsubject")},
        )
    with pytest.raises(VariantError, match="two files in en"):
        store.save(session, english, "hello", "email", noon, ours=True, others={"en": german})
    with pytest.raises(LanguageError, match="no language"):
        store.save(session, english, "hello", "email", noon, ours=True, others={"v2": german})
    assert session.scalars(select(Content)).all() == []


def test_text_messages_have_languages_too(session: Session) -> None:
    first = store.save(session, "---\nlanguage: en\n---\nHello", "ping", "sms", noon, ours=True, others={"de": "Hallo"})
    assert [row.compiled["text"] for row in store.rows_of(session, first.id).values()] == ["Hello", "Hallo"]


def test_a_contact_gets_the_language_of_its_attribute_before_that_of_its_locale() -> None:
    known = Variants({"en": 1, "de": 2, "pt-BR": 3}, 1)
    contacts = [
        *({"language": "de"}, {"locale": "de-AT"}, {"language": "pt-BR", "locale": "de"}, {"language": "en"}),
        *(
            {"language": "fr", "locale": "de"},
            {"language": "pt"},
            {},
            {"language": ["de"]},
            {"language": ["x"], "locale": "de"},
        ),
    ]
    assert [known.of(contact) for contact in contacts] == [2, 2, 3, 1, 2, 1, 1, 1, 2]


@pytest.mark.parametrize("head", ["", "<mj-head><mj-title>x</mj-title></mj-head>", "<mj-head />"])
def test_what_is_written_from_right_to_left_runs_so(head: str) -> None:
    columns = "<mj-column><mj-text>שלום.</mj-text></mj-column><mj-column><mj-text align='left'>x</mj-text></mj-column>"
    body = f"<mjml>{head}<mj-body><mj-section>{columns}</mj-section></mj-body></mjml>"
    page = compile_source(content(body, "subject: x\nlanguage: he"), "email").data["html"]
    assert "direction:ltr" not in page and "direction:rtl" in page and 'dir="rtl"' in page
    assert "text-align:right;color" in page and "text-align:left;color" in page
    there = compile_source(content(body, "subject: x\nlanguage: de"), "email").data["html"]
    assert "rtl" not in there
