"""Raw mail over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from engine import users
from engine.db import Database
from tests.engine.receipts.mails import dsn
from tests.webapp.calling import Site, serving

RAW = dsn("b-x@bounces.shop.example")
MAIL = {"Content-Type": "message/rfc822", "X-Recipient": "b-x@bounces.shop.example, "}


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with serving(database) as opened:
        yield opened


def post(site: Site, data: bytes, scope: str = "receipts", method: str = "POST") -> int:
    with site.database.transaction() as session:
        key = users.create_api_key(session, "door", (scope,))
    headers = MAIL | {"Authorization": f"Bearer {key}"}
    call = site.client.open("/v1/receipts/raw?recipient=c@d.example", method=method, data=data, headers=headers)
    return call.status_code


def test_a_mail_is_stored_before_the_answer(site: Site) -> None:
    assert post(site, RAW) == 202
    [(door, recipients, raw)] = site.rows("select door, recipients, raw from receipt_mails")
    assert (door, recipients, bytes(raw)) == ("api", ["b-x@bounces.shop.example", "c@d.example"], RAW)


def test_keys_that_stand_in_web_pages_bring_no_bounces(site: Site) -> None:
    assert post(site, RAW, scope="ingest") == 401
    assert site.rows("select * from receipt_mails") == []


def test_what_is_no_mail_is_refused(site: Site) -> None:
    assert post(site, b" \r\n") == 400
    assert post(site, RAW, method="GET") == 405
    time.sleep(0.6)  # keys that are not known are looked for twice a second
    assert post(site, b"x" * (10 * 1024 * 1024 + 1)) == 413
