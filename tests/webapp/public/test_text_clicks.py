"""A link in a text, from the local phone to the event that journeys hear."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from engine import workspace
from engine.db import Database
from tests.engine.messages import ledger
from tests.webapp.calling import Site, mails, serving

WORDS = "---\ntracking: true\n---\nSale! https://shop.example/sale?a=1 ends today"


def sent(site: Site, home: Path, **settings: object) -> str:
    """What the phone of a contact shows."""
    with site.database.transaction() as session:
        workspace.save(session, sms_needs_consent=False, quiet_hours={}, **settings)
        ledger.save(session, "sale", "sms", WORDS)
        ledger.fill(session, 1, channel="sms", slug="sale")
        session.execute(
            text("""insert into content_links (content_version_id, position, url, dynamic)
            select current_version_id, 1, 'https://shop.example/sale?a=1', false from contents""")
        )
    mails(site, home)
    [(raw,)] = site.rows("select raw from local_messages")
    return bytes(raw).decode()


def test_a_click_leads_to_the_shop_and_is_stored(database: Database, tmp_path: Path) -> None:
    with serving(database) as site:
        found = re.search(r"https://cairn\.example/s/[\w-]{24}(?= ends)", sent(site, tmp_path))
        assert found
        path = urlsplit(found[0]).path
        answer = site.client.get(path, headers={"User-Agent": "Mozilla/5.0 (iPhone)"})
        assert (answer.status_code, answer.headers["Location"]) == (302, "https://shop.example/sale?a=1")
        assert answer.headers["Cache-Control"].startswith("no-store")
        assert site.client.get(path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 404
        assert site.client.post(path).status_code == 405
        site.rows("delete from messages returning 1")
        assert site.client.get(path).status_code == 404
    assert site.rows("select kind, position from hits") == [("click", 1)]


@pytest.mark.parametrize("countries", [["*"]])
def test_who_is_not_tracked_gets_the_address_itself(database: Database, tmp_path: Path, countries: list[str]) -> None:
    with serving(database) as site:
        assert "https://shop.example/sale?a=1 ends" in sent(site, tmp_path, untracked_countries=countries)
