"""Pixels and links, as mail programs and people meet them."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import clock
from engine.db import Database
from engine.signing import Reference
from engine.tracking.classify import HONEYPOT
from engine.urls import MessageUrls, origin_us
from tests.engine.tracking.seeds import Seed, message
from tests.webapp.calling import SIGNER, Site, serving
from webapp.groupcommit import Limits

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with serving(database) as opened:
        yield opened


def seed(site: Site, *links: str, own: dict[str, str] | None = None) -> tuple[Seed, MessageUrls]:
    with site.database.transaction() as session:
        made = message(session, NOW, links=links, own_links=own)
    return made, MessageUrls("", SIGNER, made.id, made.origin_at)


def hits(site: Site, count: int) -> list[tuple[object, ...]]:
    """Wait for the buffer: pixels are stored within a tenth of a second."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        rows = site.rows("select kind, message_id, position, method, ip, user_agent, headers from hits order by id")
        if len(rows) >= count:
            return rows
        time.sleep(0.02)
    raise AssertionError("the hits did not arrive")


def test_the_pixel_is_an_image_that_nobody_caches_and_is_stored(site: Site) -> None:
    made, urls = seed(site)
    answer = site.client.get(urls.open(), headers={"User-Agent": "Mail/1", "Sec-Purpose": "prefetch", "Cookie": "x"})
    assert (answer.status_code, answer.content_type) == (200, "image/gif")
    assert answer.data.startswith(b"GIF89a")
    assert "no-store" in answer.headers["Cache-Control"]
    assert hits(site, 1) == [("open", made.id, None, "GET", "127.0.0.1", "Mail/1", {"Sec-Purpose": "prefetch"})]


def test_a_click_leads_to_the_stored_destination_and_is_stored_by_then(site: Site) -> None:
    made, urls = seed(site, "https://shop.example/a?x=1&y=ü z#top", "http://other.example")
    answer = site.client.get(urls.click(0), headers={"User-Agent": "Firefox"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://shop.example/a?x=1&y=%C3%BC%20z#top")
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    rows = site.rows("select kind, message_id, position, method, user_agent from hits")
    assert rows == [("click", made.id, 0, "GET", "Firefox")]
    assert site.client.get(urls.click(1)).headers["Location"] == "http://other.example"


def test_dynamic_links_come_from_the_message_also_when_they_are_written_late(site: Site) -> None:
    _, urls = seed(site, "https://static.example", own={"1": "https://own.example/1"})
    assert site.client.get(urls.click(1)).headers["Location"] == "https://own.example/1"
    assert site.client.get(urls.click(2)).status_code == 404
    site_rows = 'update messages set links = links || \'{"2": "https://own.example/2"}\' returning id'
    site.rows(site_rows)
    assert site.client.get(urls.click(2)).headers["Location"] == "https://own.example/2"


def test_what_a_scanner_asks_is_stored_too(site: Site) -> None:
    _, urls = seed(site, "https://shop.example")
    for method in ("HEAD", "OPTIONS"):
        assert site.client.open(urls.click(0), method=method).status_code == 302
    assert site.rows("select method from hits order by id") == [("HEAD",), ("OPTIONS",)]


def test_every_bad_token_gets_the_same_404(site: Site) -> None:
    made, urls = seed(site, "https://shop.example")
    unknown = Reference(made.id + 1_000_000, origin_us(made.origin_at))
    token = urls.click(0)[3:]
    tampered = ("B" if token[5] != "B" else "C").join((token[:5], token[6:]))
    bad = [
        "", "x", "é", "a" * 200, "%00", tampered, token[:-1], token + "A", urls.open()[3:], urls.unsubscribe()[3:],
        SIGNER.token("click", unknown), SIGNER.token("click", Reference(made.id, -5)),
        SIGNER.token("click", Reference(1, 2**55 - 1)),
        SIGNER.token("click", Reference(made.id, origin_us(made.origin_at), 9)),
        SIGNER.token("click", Reference(made.id, origin_us(made.origin_at), 65_535)), token + "?to=https://evil.example",
    ]  # fmt: skip
    answers = {_essence(site.client.get(f"/c/{text}")) for text in bad[:-1]}
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404
    assert _essence(site.client.get("/o/x")) in answers
    assert _essence(site.client.get("/u/x")) in answers
    assert _essence(site.client.post("/u/x")) in answers
    assert site.rows("select count(*) from hits") == [(0,)]
    assert site.client.get(f"/c/{bad[-1]}").headers["Location"] == "https://shop.example"


def _essence(answer: object) -> tuple[object, ...]:
    return answer.status_code, answer.data, tuple(answer.headers.items())  # type: ignore[attr-defined]


def test_only_absolute_web_addresses_are_followed(site: Site) -> None:
    bad = (
        "javascript:alert(1)", "//evil.example", "/local", "data:text/html,x", "ftp://a.example", "http://", "http://[",
        "x", "https://a.example/\r\nSet-Cookie: a=b",
    )  # fmt: skip
    _, urls = seed(site, own={str(position): url for position, url in enumerate(bad)})
    for position in range(len(bad)):
        answer = site.client.get(urls.click(position))
        assert answer.status_code == 404, bad[position]
        assert "Location" not in answer.headers


def test_the_hidden_link_leads_nowhere_and_is_remembered(site: Site) -> None:
    _, urls = seed(site)
    assert site.client.get(urls.click(HONEYPOT)).status_code == 404
    assert site.rows("select position from hits") == [(HONEYPOT,)]


def test_on_a_simulated_clock_hits_happen_at_its_time(site: Site) -> None:
    _, urls = seed(site, "https://shop.example")
    moment = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    with site.database.transaction() as session:
        clock.set_virtual(session, moment)
    site.client.get(urls.click(0))
    assert site.rows("select at from hits") == [(moment,)]


def test_only_the_trusted_proxy_names_the_client(database: Database) -> None:
    spoofed = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7:4711"}
    with serving(database) as site:
        _, urls = seed(site, "https://shop.example")
        site.client.get(urls.click(0), headers=spoofed)
    with serving(database, client_ip_header="X-Forwarded-For") as site:
        site.client.get(urls.click(0), headers=spoofed)
        site.client.get(urls.click(0), headers={"X-Forwarded-For": "nonsense"})
        site.client.get(urls.click(0), headers={"X-Forwarded-For": "2001:db8::1"})
    assert site.rows("select ip from hits order by id") == [("127.0.0.1",), ("203.0.113.7",), (None,), ("2001:db8::1",)]


def test_a_full_buffer_costs_the_hit_never_the_image(database: Database) -> None:
    with serving(database, limits=Limits(deferred=2, deferred_delay=60)) as site:
        _, urls = seed(site)
        assert [site.client.get(urls.open()).status_code for _ in range(5)] == [200] * 5
    assert site.rows("select count(*) from hits") == [(2,)]
    assert site.hot.writer.stats.dropped == 3


@given(st.sampled_from(["open", "click", "unsubscribe"]), st.text(max_size=90) | st.from_regex(r"[A-Za-z0-9_-]{0,82}"))
def test_no_text_is_a_token(purpose: str, text: str) -> None:
    assert SIGNER.read(purpose, text) is None


@given(
    st.sampled_from(["open", "click", "unsubscribe"]),
    st.builds(Reference, st.integers(-(2**63), 2**63 - 1), st.integers(-(2**55), 2**55 - 1), st.integers(0, 65_535)),
)
def test_tokens_say_what_was_put_in_and_only_for_their_purpose(purpose: str, reference: Reference) -> None:
    token = SIGNER.token(purpose, reference)
    assert SIGNER.read(purpose, token) == reference
    assert all(SIGNER.read(other, token) is None for other in ("open", "click", "unsubscribe") if other != purpose)
