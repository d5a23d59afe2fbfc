"""Writing contents on pages: errors at their lines, how it looks, and versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from engine import clock
from engine.content import store
from engine.db import Database
from engine.model import AuditLog, Content, ContentLink, ContentVersion
from tests.webapp.pages.conftest import post
from tests.webapp.pages.sample import Shop

MAIL = """---
subject: "{subject}"
language: {language}
---
<mjml><mj-body><mj-section><mj-column>
<mj-text>{text} {{{{ first_name|default("there") }}}}</mj-text></mj-column></mj-section></mj-body></mjml>
"""


def mail(subject: str = "Hi", text: str = "Hello", language: str = "en") -> str:
    return MAIL.format(subject=subject, text=text, language=language)


@pytest.fixture
def own(shop_database: Database, shop: Shop) -> Iterator[Database]:
    """A content in two languages; contents of these tests are gone afterwards."""
    with shop_database.transaction() as session:
        before = set(session.scalars(select(Content.id)))
        others = {"de": mail("Hallo", "Guten Tag", "de")}
        store.save(session, mail(), "both", "email", clock.now(session), ours=True, others=others)
    yield shop_database
    with shop_database.transaction() as session:
        made = select(Content.id).where(Content.id.not_in(before))
        versions = select(ContentVersion.id).where(ContentVersion.content_id.in_(made))
        session.execute(update(Content).where(Content.id.in_(made)).values(current_version_id=None, variants=None))
        session.execute(delete(ContentLink).where(ContentLink.content_version_id.in_(versions)))
        session.execute(delete(ContentVersion).where(ContentVersion.id.in_(versions)))
        session.execute(delete(Content).where(Content.id.not_in(before)))


def sources(database: Database, slug: str) -> dict[tuple[int, str], str]:
    with database.transaction() as session:
        content = select(Content.id).where(Content.slug == slug).scalar_subquery()
        rows = session.scalars(select(ContentVersion).where(ContentVersion.content_id == content))
        return {(row.number, row.language): row.source for row in rows}


def lines(page: str) -> list[str]:
    return re.findall(r"(Error|Warning), line (\d+)", page)


def test_what_a_writer_starts_from_can_be_saved(marketer: FlaskClient, own: Database) -> None:
    for channel in ("email", "sms"):
        page = marketer.get(f"/contents/-/new?channel={channel}").text
        assert "Ready to save" in page and "Error, line" not in page and "Warning, line" not in page
    assert 'href="/contents/-/new"' in marketer.get("/contents").text


def test_a_new_content_gets_its_name_and_first_version(marketer: FlaskClient, own: Database) -> None:
    form = {"name": "Spring sale!", "text": mail().replace("\n", "\r\n"), "number": "0"}
    answer = post(marketer, "/contents/-/new", **form)
    assert answer.location == "/contents/spring-sale?new=email"
    assert sources(own, "spring-sale") == {(1, "en"): mail()}
    assert "Saved as version 1" in marketer.get("/contents/spring-sale").text
    with own.transaction() as session:
        noted = session.scalars(select(AuditLog).where(AuditLog.object == "content spring-sale")).one()
    assert (noted.action, noted.detail) == ("save", {"version": 1})
    taken = post(marketer, "/contents/-/new", **form | {"text": mail("Other")})
    assert taken.status_code == 422 and "There is already a content" in taken.text and "Other" in taken.text
    assert post(marketer, "/contents/-/new", **form | {"name": "!"}).status_code == 422


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("---\nsubjekt: x\n---\n<mjml></mjml>", 2),
        ("---\nsubject: x\n---\n<mjml><mj-body>\n{{ first_name </mj-body></mjml>", 5),
        (mail(text="{% when plan is is %}x{% endwhen %}"), 6),
        ("", 1),
    ],
)
def test_a_text_with_an_error_is_not_saved_not_lost_and_marked_at_its_line(
    marketer: FlaskClient, own: Database, text: str, line: int
) -> None:
    answer = post(marketer, "/contents/both/edit", text=text, number="1")
    assert answer.status_code == 422 and "Not saved" in answer.text
    assert lines(answer.text) == [("Error", str(line))] and f'data-errors="{line}"' in answer.text
    checked = post(marketer, "/contents/-/check", text=text, slug="both")
    assert lines(checked.text) == [("Error", str(line))] and "Cannot be saved" in checked.text
    assert "<html" not in checked.text
    assert len(sources(own, "both")) == 2


def test_the_next_version_keeps_the_other_languages(marketer: FlaskClient, own: Database) -> None:
    page = marketer.get("/contents/both/edit?language=de").text
    assert "Guten Tag" in page and 'name="number" value="1"' in page and "language=de" in page
    german = mail("Servus", "Griaß di", "de")
    answer = post(marketer, "/contents/both/edit?language=de", text=german, number="1", language="de")
    assert answer.location == "/contents/both?language=de"
    now = {key: source for key, source in sources(own, "both").items() if key[0] == 2}
    assert now == {(2, "en"): mail(), (2, "de"): german}
    post(marketer, "/contents/both/edit", text=mail("Hey"), number="2")
    assert sources(own, "both")[3, "de"] == german and "Hey" in sources(own, "both")[3, "en"]
    post(marketer, "/contents/both/edit", text=mail("Hey"), number="3")
    assert (4, "en") not in sources(own, "both"), "the same text is no new version"


def test_an_error_elsewhere_says_where(marketer: FlaskClient, own: Database) -> None:
    answer = post(marketer, "/contents/both/edit", text=mail().replace("language: en\n", ""), number="1")
    assert answer.status_code == 422 and "In de: " in answer.text and lines(answer.text) == [("Error", "1")]


def test_nobody_writes_over_what_somebody_saved_meanwhile(marketer: FlaskClient, own: Database) -> None:
    post(marketer, "/contents/both/edit", text=mail("First"), number="1")
    late = post(marketer, "/contents/both/edit", text=mail("Second"), number="1")
    assert late.status_code == 422 and "Somebody saved version 2 meanwhile" in late.text and "Second" in late.text
    again = post(
        marketer, "/contents/both/edit", text=mail("Second"), number=re.findall(r'"number" value="(\d)"', late.text)[0]
    )
    assert again.status_code == 422
    assert (3, "en") not in sources(own, "both")


def test_the_look_is_alone_in_a_sandbox_with_sample_values(marketer: FlaskClient, own: Database) -> None:
    seen = post(marketer, "/contents/-/look", text=mail("For {{ first_name }}", "<b>Bold</b>"), channel="email")
    assert "sandbox" in seen.headers["Content-Security-Policy"] and seen.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "For Alex" in seen.text and "<b>Bold</b> Alex" in seen.text
    text = post(marketer, "/contents/-/look", text="Hi <{{ first_name }}>", channel="sms")
    assert "Hi &lt;Alex&gt;" in text.text
    assert "nothing to see before" in post(marketer, "/contents/-/look", text="---", channel="email").text
    assert sources(own, "both").keys() == {(1, "en"), (1, "de")}


def test_viewers_read_the_text_and_change_nothing(viewer: FlaskClient, own: Database) -> None:
    page = viewer.get("/contents/both/edit")
    assert page.status_code == 200 and "readonly" in page.text and "data-save" not in page.text
    assert post(viewer, "/contents/both/edit", text=mail("Mine"), number="1").status_code == 403
    assert len(sources(own, "both")) == 2


def test_a_content_without_a_version_gets_its_first(marketer: FlaskClient, own: Database) -> None:
    assert marketer.get("/contents/nothing/edit").status_code == 404
    assert "Ready to save" in marketer.get("/contents/nudge-sms/edit").text


def test_a_language_is_added_and_taken_away_again(marketer: FlaskClient, own: Database) -> None:
    page = marketer.get("/contents/both/edit?adding=1&language=pt_br").text
    assert 'name="adding" value="1"' in page and "pt-BR, new" in page
    typed = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[0]
    assert "Hello" in typed and "language:" not in typed
    added = {"adding": "1", "language": "pt-BR", "slug": "both"}
    portuguese = mail("Olá", "Bom dia", "pt-BR")
    assert "Bom dia Alex" in post(marketer, "/contents/-/look", text=portuguese, **added).text
    answer = post(marketer, "/contents/both/edit", text=portuguese, number="1", **added)
    assert answer.location == "/contents/both?language=pt-BR"
    assert sources(own, "both")[2, "pt-BR"] == portuguese and (2, "de") in sources(own, "both")
    for tag, said in (("xx-!", "is no language"), ("en", "there in en already")):
        assert marketer.get(f"/contents/both/edit?adding=1&language={tag}").status_code == 302
        assert said in marketer.get("/contents/both/edit").text
    post(marketer, "/contents/both/edit", action="remove", language="de", number="2", text="x")
    assert {tag for number, tag in sources(own, "both") if number == 3} == {"en", "pt-BR"}


def test_attachments_come_from_the_page_and_stay(marketer: FlaskClient, own: Database) -> None:
    text = mail().replace("language: en", "language: en\nattachments: [terms.pdf]")

    def save(text: str, number: int, **files: bytes) -> str:
        chosen = [(BytesIO(data), name.replace("_", ".")) for name, data in files.items()]
        return post(marketer, "/contents/both/edit", text=text, number=str(number), files=chosen).text

    assert "terms.pdf is not here" in save(text, 1)
    assert "does not name it" in save(text, 1, terms_pdf=b"x", other_pdf=b"y")
    assert (2, "en") not in sources(own, "both"), "nothing is saved with a file that would be lost"
    save(text, 1, terms_pdf=b"x" * 3_000_000)
    save(text.replace("Hello", "Hi there"), 2)
    assert "terms.pdf" in marketer.get("/contents/both/edit").text and (3, "en") in sources(own, "both")
    assert "more than 5 MB" in save(text, 3, terms_pdf=b"x" * 5_100_000)


def test_the_look_is_that_of_a_contact_in_the_dark_or_as_plain_text(
    marketer: FlaskClient, own: Database, shop: Shop
) -> None:
    text = mail("For {{ first_name }}", "<b>Bold</b>").replace("language: en", "language: en\npreheader: Beside it")

    def look(**form: str) -> str:
        return post(marketer, "/contents/-/look", text=text, channel="email", **form).text

    name = look(**{"as": shop.contact}).partition("<strong>For ")[2].partition("</strong>")[0]
    assert name and name != "Alex" and "Beside it</span>" in look()
    assert "color-scheme:dark" in look(view="dark") and "<b>" not in look(view="text")
    assert "No contact is called “nobody”" in look(**{"as": "nobody"})


def test_the_editor_of_a_text_counts_parts_and_tells_the_price_as_one_types(
    marketer: FlaskClient, own: Database
) -> None:
    def counted(words: str) -> str:
        return " ".join(post(marketer, "/contents/-/check", text=words, channel="sms").get_data(as_text=True).split())

    short = counted("Hello {{ first_name }}, “see” you\n")
    assert "<strong>1 part</strong> with sample values: 21 of 160 characters (GSM 03.38)" in short
    assert "<strong>0.0079 USD</strong> a message" in short
    wide = counted("ş" * 71)
    assert "<strong>2 parts</strong>" in wide and ">ş</kbd>" in wide and "holds 67 characters" in wide
    assert "10 is the most" in counted("x" * 2000)


def test_links_are_asked_where_they_lead(marketer: FlaskClient, viewer: FlaskClient, own: Database) -> None:
    link = "<a href='http://127.0.0.1:1/{{ first_name }}'>The shop</a>"
    post(marketer, "/contents/both/edit", text=mail(text=link), number="1")
    assert "Check where they lead" in marketer.get("/contents/both").text
    told = post(marketer, "/contents/both/links").text
    assert "Leads nowhere" in told and "no public address" in told and "http://127.0.0.1:1/Alex" in told
    assert "no web links" in post(marketer, "/contents/both/links", language="de").text
    assert "Check where they lead" not in viewer.get("/contents/both").text
    assert post(viewer, "/contents/both/links").status_code == 403


def test_a_copy_has_the_languages_and_attachments_of_its_source(marketer: FlaskClient, own: Database) -> None:
    text = mail().replace("language: en", "language: en\nattachments: [terms.pdf]")
    post(marketer, "/contents/both/edit", text=text, number="1", files=[(BytesIO(b"terms"), "terms.pdf")])
    assert 'href="/contents/-/new?copy=both"' in marketer.get("/contents/both").text
    page = marketer.get("/contents/-/new?copy=both").text
    assert "Copy of both" in page and 'name="copy" value="both"' in page and "Hello" in page
    made = post(marketer, "/contents/-/new", copy="both", name="Second", text=text.replace("Hello", "Hi"), number="0")
    assert made.location == "/contents/second?new=both"
    now = sources(own, "second")
    assert now.keys() == {(1, "en"), (1, "de")} and "Hi" in now[1, "en"]
    assert now[1, "de"] == sources(own, "both")[2, "de"]
    assert "terms.pdf" in marketer.get("/contents/second/edit").text
    assert marketer.get("/contents/-/new?copy=nothing").status_code == 404


def test_contents_are_found_by_name_and_subject(marketer: FlaskClient, own: Database) -> None:
    post(marketer, "/contents/-/new", name="autumn_100%", text=mail("Leaves & beans"), number="0")
    for words, found in (("AUTUMN", True), ("leaves & b", True), ("_", False), ("summer", False)):
        page = marketer.get("/contents", query_string={"q": words}).text
        assert ('href="/contents/autumn-100"' in page) == found
    assert "No content has “summer”" in page
