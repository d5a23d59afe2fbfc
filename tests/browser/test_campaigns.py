"""A campaign's whole way in a real browser: written, counted, checked, started, paused, looked into."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from engine import clock, workspace
from engine.content import store
from engine.db import Database
from tests.webapp.pages.test_campaigns import MAIL
from workers import campaigning


def test_a_campaign_is_written_checked_started_and_paused(page: Page, shop_database: Database) -> None:
    with shop_database.transaction() as session:
        workspace.save(session, sender_address="news@shop.io", postal_address="1 High Street")
        store.save(
            session, MAIL.replace("{subject}", "By hand"), "browser-mail", "email", clock.now(session), ours=True
        )
    page.goto("/campaigns")
    page.get_by_role("link", name="New campaign").click()
    page.get_by_label("Name", exact=True).fill("By hand")
    page.get_by_label("Audience", exact=True).fill('plan is "pro"')
    expect(page.locator("#rule-check")).to_contain_text("match now")
    before = page.locator("#rule-check").inner_text()
    page.get_by_label("But not").fill('country is "DE" or country is not set')
    expect(page.locator("#rule-check")).not_to_have_text(before)
    page.get_by_label("Variant a").select_option("browser-mail")
    page.get_by_label("At most, an hour").fill("60")
    page.get_by_label("But not").fill("")
    page.get_by_role("button", name="Save and check").click()
    page.wait_for_url("**/campaigns/by-hand/check")
    expect(page.get_by_role("heading", name="Look at this")).to_be_visible()
    page.get_by_label("I have read").check()
    page.get_by_role("button", name="Start for").click()
    page.wait_for_url("**/campaigns/by-hand")
    expect(page.get_by_text("Scheduled")).to_be_visible()
    campaigning.campaigns(shop_database)
    page.reload()
    expect(page.get_by_text("Sending")).to_be_visible()
    page.get_by_role("link", name="Pause…").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause the campaign").click()
    expect(page.get_by_text("Nothing more leaves until you resume it")).to_be_visible()
    page.get_by_role("link", name="Contacts", exact=True).last.click()
    page.get_by_role("link", name="Waiting").click()
    page.locator("tbody a.link").first.click()
    expect(page.get_by_text("In the audience; the message is queued")).to_be_visible()
