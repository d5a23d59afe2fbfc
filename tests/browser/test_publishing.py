"""The publish sheet in a real browser: with the keyboard alone, without scripts, and while somebody else publishes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from engine.db import Database
from tests.browser.conftest import Site, sign_in
from tests.browser.test_accessibility import CONTRAST, RULES, violations
from tests.webapp.pages import sample
from tests.webapp.pages.conftest import at_work
from tests.webapp.pages.publish import SMALL, publish, stand

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def crowded(app: Flask, shop_database: Database, request: pytest.FixtureRequest) -> str:
    """A live journey with twenty people who wait two days."""
    slug = f"seen-{abs(hash(request.node.name)) % 10**8}"
    publish(at_work(app, shop_database, sample.MARKETER), "-", text=SMALL.format(slug=slug))
    stand(shop_database, slug, "pause", 20)
    return slug


@pytest.fixture
def plain(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of a marketer whose browser runs no scripts."""
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    opened = context.new_page()
    sign_in(opened)
    yield opened
    context.close()


def edited(page: Page, slug: str) -> None:
    """The text with three days instead of two, in the editor."""
    page.goto(f"/journeys/{slug}/text")
    page.get_by_label("Text of the journey").fill(SMALL.format(slug=slug).replace("2 days", "3 days"))


def test_the_keyboard_publishes_with_a_choice(page: Page, crowded: str) -> None:
    edited(page, crowded)
    page.get_by_role("button", name="Publish…").focus()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name=f"Publish {crowded}")
    expect(sheet.locator("h2")).to_be_focused()
    expect(sheet).to_contain_text("0 of 20 people in the journey are affected")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.get_by_role("button", name="Publish…")).to_be_focused()
    page.keyboard.press("Enter")
    choice = sheet.get_by_label("What becomes of the people at pause")
    choice.focus()
    for key in ("Space", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(sheet).to_contain_text("20 of 20 people in the journey are affected: 20 go along")
    expect(choice).to_be_focused()
    for _ in range(9):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == "Publish version 2":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/journeys/{crowded}")
    expect(page.get_by_text("Version 2 is live. People who went along: 20.")).to_be_visible()


def test_somebody_else_publishes_meanwhile_and_nothing_typed_is_lost(
    page: Page, app: Flask, shop_database: Database, crowded: str
) -> None:
    edited(page, crowded)
    page.get_by_role("button", name="Publish…").click()
    other = SMALL.format(slug=crowded).replace("2 days", "9 days")
    publish(at_work(app, shop_database, sample.ADMIN), crowded, text=other)
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has published meanwhile")
    expect(page.get_by_text("9 days")).to_be_visible()
    page.get_by_role("button", name="Back to the text").click()
    assert "3 days" in page.get_by_label("Text of the journey").input_value()


def test_everything_works_without_scripts(plain: Page, crowded: str) -> None:
    edited(plain, crowded)
    plain.get_by_role("button", name="Publish…").click()
    plain.get_by_label("What becomes of the people at pause").select_option("exit")
    plain.get_by_role("button", name="Count again").click()
    expect(plain.locator(".sheet-total")).to_contain_text("20 leave")
    plain.get_by_role("button", name="Publish version 2").click()
    expect(plain.get_by_text("Entries that ended: 20.")).to_be_visible()
    plain.get_by_role("link", name="Stop…").click()
    plain.get_by_role("button", name=f"Stop {crowded}").click()
    expect(plain.get_by_text("The journey is stopped.")).to_be_visible()


def test_an_earlier_version_and_a_state_open_the_sheet_too(page: Page, crowded: str) -> None:
    edited(page, crowded)
    page.get_by_role("button", name="Publish…").click()
    page.get_by_role("button", name="Publish version 2").click()
    page.goto(f"/journeys/{crowded}/versions")
    page.locator("summary", has_text="Version 1").click()
    page.get_by_role("button", name="Publish this text again…").click()
    sheet = page.get_by_role("dialog", name="Publish the text of version 1")
    sheet.get_by_role("button", name="Cancel").click()
    expect(sheet).to_be_hidden()
    page.get_by_role("link", name="Pause…").click()
    deed = page.get_by_role("dialog", name=f"Pause {crowded}?")
    expect(deed).to_contain_text("are held")
    deed.get_by_role("button", name=f"Pause {crowded}").click()
    expect(page.get_by_text("The journey is paused.")).to_be_visible()


@pytest.mark.parametrize(("scheme", "rules"), [("light", RULES), ("dark", CONTRAST)])
def test_the_sheet_has_no_violations_and_fits_a_phone(
    browser: Browser, site: Site, crowded: str, scheme: Any, rules: dict[str, Any]
) -> None:
    context = browser.new_context(base_url=site.url, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    page = context.new_page()
    sign_in(page)
    edited(page, crowded)
    page.get_by_role("button", name="Publish…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page, rules) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.querySelector('#sheet').scrollWidth") <= PHONE["width"]
    assert violations(page, rules) == []
    context.close()
