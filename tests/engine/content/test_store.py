"""Saving a content makes a version once per text, with its links; loading gives the same renderer again."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.content import store
from engine.errors import InvalidInput, LanguageError, NotFound
from engine.model.content import Content, ContentLink, ContentVersion
from engine.model.identity import Identity
from engine.rendering.email import Renderer
from engine.rendering.envelope import RenderedEmail, RenderedSms
from engine.rendering.sms import SmsRenderer
from tests.engine.content.samples import content, envelope, html_of, mjml, noon

stock = Path(__file__).parents[3] / "templates" / "messages"
one = content(mjml('Hi {{ n }} <a href="https://a.example/">a</a> <a href="https://b.example/{{ n }}">b</a>'))


def test_a_version_is_made_once_per_text(session: Session) -> None:
    first = store.save(session, one, "hello", "email", noon)
    again = store.save(session, one, "hello", "email", noon)
    second = store.save(session, one.replace("Hi", "Hello"), "hello", "email", noon)
    assert (again.id, first.number, second.number) == (first.id, 1, 2)
    assert session.scalars(select(Content.current_version_id)).one() == second.id
    links = select(ContentLink).where(ContentLink.content_version_id == second.id).order_by(ContentLink.position)
    assert [(row.position, row.url, row.dynamic) for row in session.scalars(links)] == [
        (1, "https://a.example/", False),
        (2, "https://b.example/{{ n }}", True),
    ]


def test_a_sender_that_there_is_not_is_refused_with_what_to_do(session: Session) -> None:
    named = one.replace("---\n", "---\nfrom: shp\n", 1)
    with pytest.raises(LanguageError, match="there is no identity “shp”") as caught:
        store.save(session, named, "hello", "email", noon)
    assert caught.value.hint == "make it with `cairn identities add shp ADDRESS`"
    session.add(Identity(slug="shop", name="Shop", address="shop@x.example", created_at=noon))
    session.flush()
    with pytest.raises(LanguageError) as again:
        store.save(session, named, "hello", "email", noon)
    assert again.value.hint == "Did you mean `shop`?"
    saved = store.save(session, named.replace("shp", "shop"), "hello", "email", noon)
    assert saved.compiled["identity"] == "shop"


def test_nothing_is_saved_of_a_content_that_does_not_compile(session: Session) -> None:
    with pytest.raises(LanguageError):
        store.save(session, content(mjml("{{ n")), "hello", "email", noon)
    assert session.scalar(select(func.count()).select_from(Content)) == 0
    good = store.save(session, one, "hello", "email", noon)
    with pytest.raises(LanguageError):
        store.save(session, content(mjml("{% if %}")), "hello", "email", noon)
    assert session.scalars(select(ContentVersion.id)).all() == [good.id]


def test_a_slug_keeps_its_channel(session: Session) -> None:
    store.save(session, "Hi {{ n }}", "ping", "sms", noon)
    with pytest.raises(InvalidInput):
        store.save(session, one, "ping", "email", noon)


def test_a_renderer_is_built_once(session: Session) -> None:
    version = store.save(session, one, "hello", "email", noon)
    renderer = store.load_renderer(session, version.id)
    assert isinstance(renderer, Renderer) and renderer is store.load_renderer(session, version.id)
    assert "Hi Ann" in html_of(renderer.render({"n": "Ann"}, envelope()))
    with pytest.raises(NotFound):
        store.load_renderer(session, 10**9)


def test_a_preview_goes_through_the_pipeline_that_sends() -> None:
    message, warnings = store.preview(one, "email", {"n": "Ann"})
    assert isinstance(message, RenderedEmail)
    assert 'href="https://a.example/"' in html_of(message) and 'href="https://b.example/Ann"' in html_of(message)
    assert {note["kind"] for note in warnings} >= {"uncovered", "footer"}


@pytest.mark.parametrize("path", sorted(stock.iterdir())[::4], ids=lambda path: path.name)
def test_the_stock_contents_compile_and_render_for_contacts_known_and_unknown(path: Path, session: Session) -> None:
    version = store.save(session, path.read_text(), path.stem, store.channels[path.suffix], noon)
    renderer = store.load_renderer(session, version.id)
    assert version.warnings == []
    nobody = {"workspace": {"name": "Tidewater", "currency": "EUR"}}
    known = nobody | {"first_name": "Zoë", "company": {"seats": 30}, "trial_ends_at": "2026-03-04"}
    for context in (nobody, known | {"event": {"items": [{"name": "Sock", "price": 3}]}}):
        if isinstance(renderer, SmsRenderer):
            message = renderer.render(context)
            assert isinstance(message, RenderedSms) and message.parts <= 2 and "STOP" in message.text
        else:
            email = renderer.render(context, envelope(preferences_url=""))
            assert email.missing == () and email.size < 30_000 and "/u/xxx" in html_of(email)
