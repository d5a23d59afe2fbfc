"""The versions of a content on their page: what changed, and bringing one back."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from engine.db import Database
from tests.webapp.pages.conftest import post
from tests.webapp.pages.test_content_text import mail, own, sources

__all__ = ["own"]


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_what_changed_is_shown_by_language_and_any_two_versions_are_compared(
    marketer: FlaskClient, own: Database
) -> None:
    post(marketer, "/contents/both/edit", text=mail("Hey <b>", "Hello"), number="1")
    post(marketer, "/contents/both/edit", text=mail("Servus", "Moin", "de"), number="2", language="de")
    page = marketer.get("/contents/both/versions").text
    assert "Version 3, compared with 2" in page and "by mara@cairn.example" in page
    assert 'class="diff-gone"' in page and "Guten Tag" in page and "Moin" in page and "Hey" not in page
    wide = marketer.get("/contents/both/versions?version=3&against=1").text
    assert "Hey &lt;b&gt;" in wide and "Moin" in wide
    assert "The text is the same" not in marketer.get("/contents/both/versions?version=1").text
    assert marketer.get("/contents/both/versions?version=9").status_code == 404
    assert marketer.get("/contents/nothing/versions").status_code == 404
    assert 'href="/contents/both/versions"' in marketer.get("/contents/both").text


def test_a_version_is_brought_back_with_its_languages(
    marketer: FlaskClient, viewer: FlaskClient, own: Database
) -> None:
    post(marketer, "/contents/both/edit", text="", number="1", language="de", action="remove")
    post(marketer, "/contents/both/edit", text=mail("Hey"), number="2")
    assert post(viewer, "/contents/both/versions", version="1").status_code == 403
    post(marketer, "/contents/both/versions", version="1")
    now = sources(own, "both")
    assert (now[4, "en"], now[4, "de"]) == (mail(), mail("Hallo", "Guten Tag", "de"))
    page = marketer.get("/contents/both/versions").text
    assert "The text of version 1 is sent again, as version 4" in page and "Version 1</a>" in page
    assert post(marketer, "/contents/both/versions", version="77").status_code == 404
