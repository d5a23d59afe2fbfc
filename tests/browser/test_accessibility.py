"""WCAG 2.2 AA by axe-core, in both skins."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

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
    "/campaigns",
    "/campaigns/-/new",
    "/campaigns/-/calendar",
    "/campaigns/-/compare?campaign=sample",
    "/campaigns/sample",
    "/campaigns/sample/edit",
    "/campaigns/sample/check",
    "/campaigns/sample/contacts",
    "/campaigns/sample/state?action=cancel",
    "/reports/roi",
    "/reports/hits",
    "/reports/limits",
    "/consent?person=gone@example.net",
    "/deliverability?address=gone@example.net",
    "/contents",
    "/contents/letter",
    "/contents/letter/edit",
    "/contents/letter/versions",
    "/contents/greeting?language=de",
    "/feeds",
    "/feeds/-/new",
    "/snippets",
    "/snippets/farewell",
    "/snippets/farewell/edit",
    "/mailbox",
    "/mailbox/EMAIL",
    "/mailbox/SMS",
    "/settings",
    "/settings/senders",
    "/settings/senders/workspace?check=1",
    "/topics",
    "/topics/-/new",
    "/lists",
    "/settings/calls",
    "/forms",
    "/forms/-/new",
    "/nowhere",
)


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
