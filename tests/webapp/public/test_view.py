"""An email in the browser, from the link in the mail as a server took it."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from engine import clock
from engine.content import store
from engine.db import Database
from engine.messages.direct import Order, send
from engine.messages.sending import Sender
from engine.signing import signer as installed
from engine.urls import MessageUrls
from tests.engine.channels.servers import scripted
from tests.engine.messages.ledger import fill
from tests.webapp.calling import SIGNER, Site, serving
from webapp.forgetting import forget

BASE = "https://cairn.example"
MAIL = """---
subject: "Hi {{ first_name }}"
---
<html><body><p>Hello {{ first_name }}, order {{ event.order }} – <b>ü</b>.
<a href="https://shop.example/{{ first_name }}">yours</a> <a href="https://shop.example/fixed">shop</a>
<a href="{{ view_url }}">In the browser</a></p></body></html>"""


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with serving(database, site=BASE) as opened:
        yield opened


def sent(site: Site, home: Path) -> str:
    """The mail that goes out now, decoded."""
    with scripted() as server:
        sender = Sender(home, server.url, site=BASE, signer=SIGNER)
        sender.send(site.database)
        sender.close()
    [mail] = server.messages
    return quopri.decodestring(mail).decode()


def write(site: Site, home: Path, source: str = MAIL) -> tuple[str, str]:
    """A message to Ann; the mail and the path of its view."""
    with site.database.transaction() as session:
        now = clock.now(session)
        store.save(session, source, "hello", "email", now, ours=True)
        send(session, Order("hello", "k", email="ann@x.example", properties={"order": "A-1"}), now)
        session.execute(text('update contacts set attributes = \'{"first_name": "Ann <3"}\''))
    mail = sent(site, home)
    found = re.search(BASE + r"(/w/[\w-]+)", mail)
    assert found, mail
    return mail, found[1]


def test_the_page_is_what_was_sent_without_what_counts(site: Site, tmp_path: Path) -> None:
    mail, path = write(site, tmp_path)
    html = mail[mail.index("<html") :]
    with site.database.transaction() as session:  # the author writes on: what was sent stays
        store.save(session, MAIL.replace("Hello", "Bye"), "hello", "email", clock.now(session), ours=True)
    answer = site.client.get(path)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and answer.content_type == "text/html; charset=utf-8"
    assert "Hello Ann &lt;3, order A-1 – <b>ü</b>." in page
    links, in_mail = (re.findall(r'href="([^"]*/c/[^"]*)"', each) for each in (page, html))
    assert len(links) == 2 and links == in_mail[:2]  # the third is the trap for robots
    assert "/o/" in html and "/o/" not in page and "display:none" not in page
    destinations = [site.client.get(link.removeprefix(BASE)).headers["Location"] for link in links]
    assert destinations == ["https://shop.example/Ann%20%3C3", "https://shop.example/fixed"]


def test_it_runs_no_script_is_indexed_nowhere_and_leaks_no_address(site: Site, tmp_path: Path) -> None:
    _, path = write(site, tmp_path)
    answer = site.client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "sandbox" in policy
    assert "allow-scripts" not in policy and "allow-same-origin" not in policy
    assert answer.headers["X-Robots-Tag"].startswith("noindex")
    assert (answer.headers["Referrer-Policy"], answer.headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert site.client.head(path).status_code == 200 and site.client.post(path).status_code == 405
    assert site.rows("select count(*) from hits") == [(0,)]


def test_what_cannot_be_seen_is_the_common_404(site: Site, tmp_path: Path) -> None:
    _, path = write(site, tmp_path)
    missing = site.client.get("/y/x")
    for other in (path[:-3] + "AAA", path.replace("/w/", "/u/"), "/w/", "/w/" + "A" * 60):
        answer = site.client.get(other)
        assert (answer.status_code, answer.data) == (404, missing.data)
    with site.database.transaction() as session:
        session.execute(text('update content_versions set compiled = compiled || \'{"html": "{{ 1 // 0 }}"}\''))
    store.renderers.clear()
    assert site.client.get(path).status_code == 404


def test_who_was_forgotten_is_not_shown(site: Site, tmp_path: Path) -> None:
    _, path = write(site, tmp_path)
    assert forget(site.database, ["ann@x.example"], installed(), "test") == 1
    answer = site.client.get(path)
    assert (answer.status_code, answer.data) == (404, b"Not found.\n")


def test_a_content_that_does_not_ask_for_it_has_no_such_link_and_what_waits_has_no_page(
    site: Site, tmp_path: Path
) -> None:
    with site.database.transaction() as session:
        fill(session, 1)
        id_, origin = session.execute(text("select id, origin_at from messages")).one()
    path = MessageUrls("", SIGNER, id_, origin).view()
    assert site.client.get(path).status_code == 404
    assert "/w/" not in sent(site, tmp_path)
    assert "Hi, " in site.client.get(path).get_data(as_text=True)
