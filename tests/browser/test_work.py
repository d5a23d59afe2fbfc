"""What a marketer does, in a real browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site

JOURNEY = "journey: by-hand\nenter:\n  on: Signed Up\nsteps:\n  - wait: 2 dayz\n    id: pause\n"
PHONE = {"width": 390, "height": 844}


def test_a_journey_is_written_corrected_and_published(page: Page) -> None:
    page.goto("/journeys/-/new")
    editor = page.get_by_label("Text of the journey")
    editor.fill(JOURNEY)
    problem = page.get_by_role("button", name="Error, line 5")
    expect(problem).to_be_visible()
    expect(page.locator(".editor-gutter .wrong")).to_have_text("5")
    problem.click()
    assert editor.evaluate("area => area.value.slice(0, area.selectionStart).split('\\n').length") == 5
    editor.fill(JOURNEY.replace("dayz", "days"))
    expect(page.get_by_text("Ready to publish")).to_be_visible()
    page.get_by_role("button", name="Publish…").click()
    page.get_by_role("button", name="Publish version 1").click()
    page.wait_for_url("**/journeys/by-hand")
    expect(page.get_by_text("Version 1 is live")).to_be_visible()
    expect(page.get_by_text("Wait 2 days")).to_be_visible()


def test_typed_work_is_offered_again_after_leaving(page: Page) -> None:
    page.goto("/journeys/welcome/text")
    editor = page.get_by_label("Text of the journey")
    editor.fill("journey: welcome\n# half a thought\n")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/journeys")
    page.goto("/journeys/welcome/text")
    page.get_by_role("button", name="Bring back").click()
    assert "half a thought" in editor.input_value()
    page.evaluate("localStorage.clear()")


def test_a_rule_is_counted_while_it_is_written(page: Page) -> None:
    page.goto("/segments/-/new")
    page.get_by_label("Rule").fill('plan is "pro"')
    expect(page.locator("#rule-check")).to_contain_text("match now")
    page.get_by_label("Rule").fill("plan is is")
    expect(page.locator("#rule-check")).to_contain_text("Error, line 1")


def test_search_narrows_the_list_and_the_address(page: Page) -> None:
    page.goto("/contacts")
    page.get_by_role("searchbox").fill("cus_1139")
    expect(page.locator(".row-link")).to_have_count(1)
    page.wait_for_url("**/contacts?q=cus_1139")


def test_the_timeline_loads_older_items(page: Page, site: Site) -> None:
    page.goto(f"/contacts/{site.shop.contact}")
    before = page.locator(".timeline-item").count()
    page.get_by_role("button", name="Load older").click()
    expect(page.locator(".timeline-item").nth(before)).to_be_visible()


def test_from_a_journey_number_to_the_message_as_sent(page: Page, site: Site) -> None:
    page.goto(f"/contacts/{site.shop.contact}")
    page.get_by_role("link", name="See it as sent").first.click()
    inside = page.frame_locator("#preview")
    expect(inside.get_by_role("heading", name="Your first night out, packed")).to_be_visible()
    page.get_by_role("button", name="Phone").click()
    expect(page.locator("#preview")).to_have_attribute("data-width", "phone")
    page.get_by_role("link", name="Plain text").click()
    expect(page.get_by_text("here is what to pack for the first night out")).to_be_visible()


def test_the_report_unfolds_and_its_chart_is_a_table_too(page: Page) -> None:
    page.goto("/reports/roi")
    expect(page.locator("canvas")).to_be_visible()
    page.get_by_role("button", name="Table").click()
    expect(page.get_by_role("columnheader", name="welcome")).to_be_visible()
    fold = page.get_by_role("button", name="welcome")
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.click()
    expect(page.get_by_role("rowheader", name="hello-a", exact=True)).to_be_visible()
    expect(fold).to_have_attribute("aria-expanded", "true")


def test_the_skin_is_chosen_and_kept(page: Page) -> None:
    page.goto("/settings")
    page.locator(".sidebar").get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_keyboard_skips_to_the_content(page: Page) -> None:
    page.goto("/contacts")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_on_a_phone_the_menu_opens_closes_and_nothing_overflows(page: Page, site: Site) -> None:
    page.set_viewport_size(PHONE)
    for path in ("/", "/contacts", f"/contacts/{site.shop.contact}", "/journeys/welcome", "/reports/roi", "/mailbox"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="Open menu").click()
    menu = page.get_by_role("dialog", name="Menu")
    expect(menu.get_by_role("link", name="Journeys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()


def test_a_content_is_written_and_seen_while_it_is_written(page: Page) -> None:
    page.goto("/contents/-/new")
    look = page.frame_locator("#preview")
    expect(look.get_by_text("Hello Alex,")).to_be_visible()
    editor = page.get_by_label("Text of the content")
    starter = editor.input_value()
    editor.fill(starter.replace("</mj-button>", "</mj-buton>"))
    expect(page.get_by_role("button", name="Error, line")).to_be_visible()
    expect(page.get_by_text("Cannot be saved")).to_be_visible()
    written = starter.replace("write here.", "the beans are here.")
    editor.fill(written)
    expect(look.get_by_text("the beans are here.")).to_be_visible()
    page.get_by_label("Name").fill("New beans")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/contents/new-beans?new=email")
    expect(page.get_by_text("Saved as version 1")).to_be_visible()
    assert page.evaluate("Object.keys(localStorage).filter(key => key.includes('content:'))") == []
    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_label("Text of the content")).to_have_value(written)


def test_fields_and_text_of_a_content_say_the_same_and_keep_comments(page: Page) -> None:
    page.goto("/contents/-/new")
    text, subject = page.get_by_label("Text of the content"), page.get_by_label("Subject")
    expect(subject).to_have_value("{{ first_name }}, welcome")
    text.fill("---\n# ours\nsubject: 'It''s on'  # short\ntext: |\n  x\n---\n<p>Hi</p>")
    expect(subject).to_have_value("It's on")
    subject.fill('A "sale": now')
    page.get_by_label("Preheader").fill("Früh")
    page.get_by_label("Add files").set_input_files({"name": "a b.pdf", "mimeType": "application/pdf", "buffer": b"x"})
    front = '# ours\nsubject: "A \\"sale\\": now" # short\npreheader: Früh\nattachments: ["a b.pdf"]\ntext: |\n  x'
    expect(text).to_have_value(f"---\n{front}\n---\n<p>Hi</p>")
    text.fill("---\nsubject: >\n  long\n---\n<p>Hi</p>")
    expect(subject).not_to_be_editable()


def test_a_content_is_looked_at_in_another_language(page: Page) -> None:
    page.goto("/contents/greeting")
    expect(page.frame_locator("#preview").get_by_text("Welcome")).to_be_visible()
    page.get_by_label("Language", exact=True).select_option("de")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**language=de**")
    expect(page.frame_locator("#preview").get_by_text("Willkommen")).to_be_visible()
    expect(page.frame_locator("#preview").locator("html")).to_have_attribute("lang", "de")
