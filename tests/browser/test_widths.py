"""No page scrolls sideways on a phone. New pages are looked at by themselves; what they show is named in VALUES."""

from __future__ import annotations

from flask import Flask
from playwright.sync_api import Browser

from tests.browser.conftest import Site, sign_in

WIDTH = 390
VALUES = {
    "campaign": {"slug": "sample"},
    "contact": {"public_id": "CONTACT"},
    "content": {"slug": "letter"},
    "journey": {"slug": "welcome"},
    "journey_stock": {"slug": "replenishment"},
    "mail": {"public_id": "EMAIL"},
    "segment": {"slug": "pro-plan"},
    "sender": {"slug": "workspace"},
    "snippet": {"slug": "farewell"},
    "campaign_contact": {"slug": "sample", "public_id": "CONTACT"},
    "contact_journey": {"public_id": "CONTACT", "slug": "welcome"},
}
"""What stands in an address, by the endpoint or the first word of its name."""
NOWHERE = "nowhere"
QUERIES = {
    "campaign_state": "?action=cancel",
    "journey_state": "?action=stop",
    "journey_people": "?step=opened",
    "deliverability": "?address=gone@example.net",
    "sender": "?check=1",
    "campaign_compare": "?campaign=sample",
}
NO_PAGES = ("export", "timeline", "body", "csv", "chart", "message", "source")
"""Last words of endpoints that give files, and pieces of pages."""
LOOK = """() => [document.documentElement.scrollWidth, [...document.querySelectorAll('main *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.table-wrap, pre, [tabindex="0"]'))
    .map(e => e.outerHTML.slice(0, 120))[0] || '']"""


def addresses(app: Flask, site: Site) -> dict[str, str]:
    """The address of each page of marketers, by endpoint."""
    names = {"CONTACT": site.shop.contact, "EMAIL": site.shop.email}
    found = {}
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            blueprint, _, name = rule.endpoint.partition(".")
            if blueprint != "pages" or "GET" not in (rule.methods or ()) or name.split("_")[-1] in NO_PAGES:
                continue
            given = VALUES.get(name) or VALUES.get(name.split("_")[0], {})
            values = {key: names.get(given.get(key, NOWHERE), given.get(key, NOWHERE)) for key in rule.arguments}
            found[name] = app.url_for(rule.endpoint, **values) + QUERIES.get(name, "")
    return found


def test_no_page_scrolls_sideways_on_a_phone(browser: Browser, site: Site, app: Flask) -> None:
    context = browser.new_context(base_url=site.url, viewport={"width": WIDTH, "height": 844}, reduced_motion="reduce")
    page = context.new_page()
    sign_in(page)
    wide = {}
    for name, address in addresses(app, site).items():
        page.goto(address)
        width, first = page.evaluate(LOOK)
        if width > WIDTH:
            wide[name] = (address, width, first)
    context.close()
    assert wide == {}
