"""WCAG 2.2 AA by axe-core, in both skins; and the page that contacts see."""

from __future__ import annotations

from typing import Any

import jinja2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import AXE, Site, sign_in

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
PATHS = (
    "/",
    "/contacts",
    "/contacts/CONTACT",
    "/segments",
    "/segments/pro-plan",
    "/journeys",
    "/journeys/welcome",
    "/journeys/welcome/text",
    "/journeys/welcome/versions",
    "/journeys/welcome/people?step=opened",
    "/journeys/welcome/state?action=stop",
    "/journeys/-/library",
    "/journeys/-/library/replenishment",
    "/reports/roi",
    "/mailbox",
    "/mailbox/EMAIL",
    "/mailbox/SMS",
    "/settings",
    "/nowhere",
)
ASKING: dict[str, Any] = {
    "action": "",
    "done": False,
    "everything": False,
    "topic": "Product news",
    "channel": "email",
    "address": "a…@shop.example",
    "sender_name": "Fjord",
    "stylesheet": None,
}


def violations(page: Page, rules: dict[str, Any] = RULES) -> list[str]:
    """What axe finds, each with its first place."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run(document, rules)", rules)
    return [f"{item['id']}: {item['nodes'][0]['html'][:160]}" for item in found["violations"]]


@pytest.mark.parametrize(("scheme", "rules"), [("light", RULES), ("dark", CONTRAST)])
def test_the_pages_have_no_violations(browser: Browser, site: Site, scheme: Any, rules: dict[str, Any]) -> None:
    context = browser.new_context(base_url=site.url, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    page = context.new_page()
    page.goto("/sign-in")
    found = {"/sign-in": violations(page, rules)}
    sign_in(page)
    names = {"CONTACT": site.shop.contact, "EMAIL": site.shop.email, "SMS": site.shop.sms}
    for path in PATHS:
        address = "/".join(names.get(part, part) for part in path.split("/"))
        page.goto(address)
        page.wait_for_function("!document.querySelector('[aria-busy]')")
        found[path] = violations(page, rules)
    context.close()
    assert {path: items for path, items in found.items() if items} == {}


def unsubscribe(browser: Browser, **changed: Any) -> Page:
    """The page that a contact sees."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader("templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    page = browser.new_page()
    page.emulate_media(reduced_motion="reduce")
    page.set_content(environment.get_template("public/unsubscribe.html").render(**{**ASKING, **changed}))
    return page


def test_a_contact_unsubscribes_with_one_button(browser: Browser) -> None:
    page = unsubscribe(browser)
    expect(page.get_by_role("heading")).to_have_text("Unsubscribe from “Product news”?")
    expect(page.get_by_role("button", name="Unsubscribe", exact=True)).to_have_attribute("value", "topic")
    expect(page.get_by_role("button", name="Unsubscribe from everything")).to_have_attribute("value", "channel")
    assert violations(page) == []


@pytest.mark.parametrize(
    ("state", "heading", "buttons"),
    [
        ({"done": True}, "You are unsubscribed", 1),
        ({"done": True, "everything": True}, "You are unsubscribed", 0),
        ({"everything": True}, "Unsubscribe from Fjord?", 1),
        ({"everything": True, "channel": "sms", "sender_name": "", "address": ""}, "Unsubscribe?", 1),
    ],
)
def test_the_page_says_what_holds_now(browser: Browser, state: dict[str, Any], heading: str, buttons: int) -> None:
    page = unsubscribe(browser, **state)
    expect(page.get_by_role("heading")).to_have_text(heading)
    expect(page.get_by_role("button")).to_have_count(buttons)
    assert violations(page) == []
