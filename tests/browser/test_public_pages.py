"""The pages that contacts see, as they are served: without script, by keyboard, in both skins, on a phone."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import insert, text
from werkzeug.serving import make_server

from engine import workspace
from engine.contacts.topics import word
from engine.db import Database
from engine.model import Form, Topic
from engine.tracking import forms
from engine.tracking.confirmation import Request, ask
from engine.tracking.form_fields import Field
from engine.urls import MessageUrls
from tests.browser.test_accessibility import violations
from tests.engine.tracking.seeds import message
from tests.webapp import calling
from tests.webapp.calling import SIGNER, serving
from webapp.dispatch import dispatcher
from webapp.public import showing
from webapp.public.signing_up import HASTE

TOPICS = (
    {"slug": "news", "name": "Product news", "description": "What is new, once a month.", "position": 0},
    {"slug": "tips", "name": "Tips", "description": "", "position": 1, "default_state": "unsubscribed"},
)


@dataclass(frozen=True)
class Public:
    """The addresses of one message, on a real port."""

    site: calling.Site
    urls: MessageUrls
    confirm: str


@pytest.fixture
def public(database: Database) -> Iterator[Public]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    now = dt.datetime.now(dt.UTC)
    with database.transaction() as session:
        workspace.save(session, sender_name="Fjord")
        made = message(session, now, topic="news")
        session.execute(text("delete from topics"))
        session.execute(insert(Topic), [{"default_state": "subscribed"} | row for row in TOPICS])
        session.execute(text("update contacts set phone = '+14155550100'"))
        ask(session, [Request(made.contact_id, ("tips",), "form")], now)
        word(session, "signup", "Send me tips.", now)
        club = Form(slug="club", title="The club", topics=["tips"], lists=[], origins=[], wording="signup")
        forms.save(session, club, [Field("first_name", "First name"), Field("utm_source", "", kind="hidden")])
        asking = session.execute(text("select message_id, requested_at from consent_requests")).one()
    with serving(database) as site:
        server = make_server("127.0.0.1", 0, dispatcher(site.hot, calling.flask), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        yield Public(
            site,
            MessageUrls(base, SIGNER, made.id, made.origin_at),
            MessageUrls(base, SIGNER, *asking).confirm(),
        )
        server.shutdown()


@pytest.fixture
def reader(browser: Browser) -> Iterator[Page]:
    """A browser without script."""
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    yield context.new_page()
    context.close()


def state(public: Public) -> list[tuple[object, ...]]:
    return public.site.rows("select channel, topic, state from consent_states order by 1, 2")


def test_a_contact_unsubscribes_with_one_button(public: Public, reader: Page) -> None:
    reader.goto(public.urls.unsubscribe())
    expect(reader.get_by_role("heading")).to_have_text("Unsubscribe from “Product news”?")
    reader.get_by_role("button", name="Unsubscribe", exact=True).click()
    expect(reader.get_by_role("heading")).to_have_text("You are unsubscribed")
    assert ("email", "news", "unsubscribed") in state(public)
    reader.get_by_role("button", name="Unsubscribe from everything").click()
    expect(reader.get_by_role("button", name="Unsubscribe")).to_have_count(0)
    reader.get_by_label("I get too many messages").focus()
    for key in ("Space", "Tab", "E", "Enter"):
        reader.keyboard.press(key)
    expect(reader.get_by_role("status")).to_have_text("Thank you for telling us.")
    assert public.site.rows("select reason, words from leaving_reasons") == [("too_many", "E")]
    reader.get_by_role("link", name="Choose what you get, or take a break").click()
    expect(reader.get_by_role("group", name="Email").get_by_label("Product news")).not_to_be_checked()


def test_choices_are_made_by_keyboard_without_script(public: Public, reader: Page) -> None:
    reader.goto(public.urls.preferences())
    email, texts = reader.get_by_role("group", name="Email"), reader.get_by_role("group", name="Text messages")
    expect(email.get_by_label("Product news")).to_be_checked()
    email.get_by_label("Product news").focus()
    for key in ("Space", "Tab", "Space", "Tab", "Space"):  # off, on, and the first one by text message
        reader.keyboard.press(key)
    expect(texts.get_by_label("Product news")).to_be_checked()
    reader.get_by_role("button", name="Save").focus()
    reader.keyboard.press("Enter")
    expect(reader.get_by_role("status")).to_contain_text("saved")
    assert state(public) == [
        ("email", "news", "unsubscribed"),
        ("email", "tips", "subscribed"),
        ("sms", "", "subscribed"),
        ("sms", "news", "subscribed"),
        ("sms", "tips", "unsubscribed"),
    ]
    reader.get_by_role("button", name="30 days").click()
    expect(reader.get_by_role("button", name="End the break")).to_be_visible()
    reader.get_by_role("link", name="Deutsch").click()
    expect(reader.get_by_role("heading", name="Ihre Einstellungen")).to_be_visible()
    expect(reader.get_by_role("button", name="Pause beenden")).to_be_visible()


def test_a_break_is_offered_before_leaving(public: Public, reader: Page) -> None:
    reader.goto(f"{public.urls.unsubscribe()}?lang=de")
    reader.get_by_role("group", name="Pause").get_by_role("button", name="30 Tage").click()
    expect(reader.get_by_role("button", name="Pause beenden")).to_be_visible()
    assert public.site.rows("select channel from consent_pauses order by 1") == [("email",), ("sms",)]
    assert ("email", "news", "unsubscribed") not in state(public)


def test_a_subscription_is_confirmed_by_one_button(public: Public, reader: Page) -> None:
    reader.goto(public.confirm)
    expect(reader.get_by_role("heading")).to_have_text("Confirm your subscription")
    expect(reader.get_by_role("listitem")).to_have_text("Tips")
    reader.get_by_role("button", name="Yes, subscribe me").click()
    expect(reader.get_by_role("heading")).to_have_text("You are subscribed")
    assert ("email", "tips", "subscribed") in state(public)


def test_somebody_signs_up_without_script(public: Public, reader: Page) -> None:
    reader.goto(f"{public.urls.site}/f/club")
    expect(reader.get_by_label("Website")).not_to_be_in_viewport()
    reader.get_by_label("Email").fill("new@x.example")
    reader.get_by_label("First name").fill("Nia")
    reader.get_by_label("Send me tips.").check()
    reader.wait_for_timeout(HASTE * 1000)  # faster than any person is taken for a program
    reader.get_by_role("button", name="Subscribe").click()
    expect(reader.get_by_text("We have sent you an email.")).to_be_visible()
    found = public.site.rows("select attributes from contacts where email = 'new@x.example'")
    assert found == [({"first_name": "Nia"},)]


@contextmanager
def elsewhere(public: Public) -> Iterator[str]:
    """A page of another site that embeds the form twice, and allows nothing but our forms and their script."""
    port = public.urls.site.rpartition(":")[2]
    ours = f"http://127.0.0.1:{port}"
    with public.site.database.transaction() as session:
        snippet = showing.embedded(session, forms.find(session, "club"), ours, "de")
    policy = f"default-src 'none'; script-src {ours}; connect-src {ours}; form-action {ours}"
    page = f"<!doctype html><html lang=de><title>Shop</title><main>{snippet}{snippet}</main>"

    def host(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", policy)])
        return [page.encode()]

    server = make_server("127.0.0.1", 0, host, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    with public.site.database.transaction() as session:
        session.execute(text("update forms set origins = array[:origin]"), {"origin": origin})
    yield origin
    server.shutdown()


@pytest.mark.parametrize("script", [True, False])
def test_somebody_signs_up_on_another_site_that_trusts_nobody(browser: Browser, public: Public, script: bool) -> None:
    context = browser.new_context(java_script_enabled=script, locale="de-DE")
    page = context.new_page()
    with elsewhere(public) as origin:
        page.goto(f"{origin}/?utm_source=spring")
        second = page.locator("form").nth(1)
        expect(second.get_by_label("Website")).not_to_be_visible()
        second.get_by_label("E-Mail").fill("new@x.example")
        second.get_by_label("First name").fill("Nia")
        second.get_by_label("Send me tips.").check()
        second.get_by_role("button").click()
        expect(page.get_by_text("Wir haben Ihnen eine E-Mail geschickt")).to_be_visible()
        assert page.url.startswith(origin) == script
    context.close()
    found = public.site.rows("select attributes from contacts where email = 'new@x.example'")
    assert found == [({"first_name": "Nia", "utm_source": "spring"} if script else {"first_name": "Nia"},)]
    asked = "select count(*) from messages m join contacts c on c.id = m.contact_id where c.email = 'new@x.example'"
    assert public.site.rows(asked) == [(1,)]


@pytest.mark.parametrize(("scheme", "language"), [("light", "de"), ("dark", "ar")])
def test_the_pages_have_no_violations_and_fit_a_phone(
    browser: Browser, public: Public, scheme: str, language: str
) -> None:
    context = browser.new_context(
        color_scheme=scheme, bypass_csp=True, viewport={"width": 390, "height": 800}, locale=language
    )  # type: ignore[arg-type]
    page = context.new_page()
    found = {}
    form = f"{public.urls.site}/f/club"
    for address in (public.urls.unsubscribe(), public.urls.preferences(), public.confirm, form, "left"):
        if address == "left":  # and is asked why
            page.goto(public.urls.unsubscribe())
            page.locator("button").first.click()
            page.locator("input[type=radio]").first.check()
        else:
            page.goto(address)
        found[address[-70:-60]] = violations(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("document.documentElement.lang") == language
    context.close()
    assert {path: items for path, items in found.items() if items} == {}
