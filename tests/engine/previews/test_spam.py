"""The spam score of contents, by a real rspamd."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from engine.content import store
from engine.previews import message, spam
from engine.workspace import Workspace
from tests.engine.content.samples import content, mjml, noon
from tests.rspamd import running_rspamd

SHOP = Workspace(name="Shop", sender_address="hi@shop.example", sender_name="Shop", postal_address="1 Road")
ORDER = content(
    mjml('Hi {{ first_name }}, your order will arrive on Friday. <a href="https://shop.example/o">See it</a>'),
    "subject: Your order is on its way",
)
PHISHING = content(
    mjml('Dear beneficiary, <a href="http://192.0.2.3/x">https://paypal.com/login</a>'), "subject: CLICK HERE NOW!!!"
)


@pytest.fixture(scope="module")
def rspamd() -> Iterator[str]:
    with running_rspamd() as url:
        yield url


def asked(session: Session, rspamd: str, source: str) -> spam.Spam:
    store.save(session, source, "mail", "email", noon, ours=True)
    found = message.find(session, "mail")
    shown = message.render(session, found, message.nobody(found), SHOP, "https://c.example", noon)
    return spam.ask(rspamd, shown.raw)


def test_a_plain_letter_has_nothing_that_speaks_against_it(session: Session, rspamd: str) -> None:
    found = asked(session, rspamd, ORDER)
    assert [each.name for each in found.symbols if each.score > 0] == []
    assert found.score <= 0 < found.required and not found.is_spam
    assert {"HAS_LIST_UNSUB", "MIME_GOOD"} <= {each.name for each in found.symbols}


def test_what_looks_like_phishing_is_told_with_its_reasons(session: Session, rspamd: str) -> None:
    found = asked(session, rspamd, PHISHING)
    told = {each.name: each for each in found.symbols}
    assert {"PHISHING", "HTTP_TO_IP", "SUBJ_ALL_CAPS"} <= told.keys() and found.score > 3
    assert told["SUBJ_ALL_CAPS"].description == "All capital letters in subject"
    assert found.symbols[0].score == max(each.score for each in found.symbols)
    assert found.score == pytest.approx(sum(each.score for each in found.symbols), abs=0.02)
