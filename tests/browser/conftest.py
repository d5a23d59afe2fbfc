"""The site in a real browser: the application on a real port, the system's Chromium."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from tests.webapp.pages import sample
from tests.webapp.pages.conftest import app, built, shop, shop_database
from tests.webapp.pages.sample import Shop

__all__ = ["app", "built", "shop", "shop_database"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
AXE = Path(__file__).parents[2] / "webapp" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


@dataclass(frozen=True)
class Site:
    """Where the application listens, and what is in it."""

    url: str
    shop: Shop


@pytest.fixture(scope="session")
def site(app: Flask, shop: Shop) -> Iterator[Site]:
    """The application on a free port of loopback."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{server.server_port}", shop)
    server.shutdown()
    thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; nothing is downloaded."""
    found = os.environ.get("CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on PATH: install it, or name it in CHROMIUM")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of a marketer who has signed in; any complaint of the browser fails the test."""
    context = browser.new_context(base_url=site.url)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(opened)
    yield opened
    context.close()
    assert [text for text in complaints if "status of 4" not in text] == []


def sign_in(page: Page) -> None:
    """Through the form, as a person does."""
    page.goto("/sign-in")
    page.get_by_label("Email").fill(sample.MARKETER)
    page.get_by_label("Password").fill(sample.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
