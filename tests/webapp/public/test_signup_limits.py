"""Texts that ask strangers to confirm a sign-up have a budget, and colleagues are told when it bites."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from engine import clock, users, workspace
from engine.db import Database
from engine.model import Form, User
from engine.receipts import signups
from engine.tracking import forms
from tests.webapp.calling import Site, mails, serving
from webapp.api.keys import CONSENT


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with database.transaction() as session:
        made = Form(slug="club", title="The club", topics=[], lists=[], origins=[], channel="sms", double_opt_in=True)
        forms.save(session, made, [])
        session.add(User(email="ann@shop.test", password_hash="x", session_stamp="x"))
    with serving(database) as opened:
        yield opened


def german(number: int) -> str:
    return f"+49151{12345000 + number}"


def sign_up(site: Site, number: str) -> TestResponse:
    return site.client.post("/f/club", data={"phone": number, "website": ""}, headers={"Accept": "application/json"})


def settings(site: Site, **values: Any) -> None:
    with site.database.transaction() as session:
        workspace.save(session, **values)


def asked(site: Site) -> int:
    [(count,)] = site.rows("select count(*) from consent_requests")
    return int(count)


def test_a_country_that_nobody_named_gets_five_texts_an_hour(site: Site, tmp_path: Path) -> None:
    answers = [sign_up(site, german(number)).status_code for number in range(7)]
    assert answers == [200] * 5 + [422] * 2 and asked(site) == 5
    assert site.rows("select count(*) from contacts") == [(5,)]
    assert sign_up(site, "+14155552671").status_code == 200
    mails(site, tmp_path)
    assert site.rows("select count(*) from local_messages") == [(6,)]


def test_colleagues_are_told_once_and_the_count_goes_on(site: Site) -> None:
    for number in range(8):
        refused = sign_up(site, german(number))
    assert refused.json == {
        "success": False, "field": "phone", "message": "We cannot send texts right now. Please try again later.",
    }  # fmt: skip
    [(address, note)] = site.rows("select address, payload ->> 'note' from deliveries")
    assert address == "ann@shop.test" and "5 an hour are the most to numbers that begin with +49" in note
    with site.database.transaction() as session:
        bite = signups.bitten(session, clock.now(session))
    assert bite and bite.count == 3


def test_countries_that_are_named_share_the_whole_budget_and_others_get_nothing(site: Site) -> None:
    settings(site, sms_signup_countries=["DE", "+1415"], sms_signups_per_hour=8)
    assert [sign_up(site, german(number)).status_code for number in range(7)] == [200] * 7
    assert sign_up(site, "+442071838750").status_code == 422
    assert "do not send texts to this country" in sign_up(site, "+447400123456").text
    assert sign_up(site, "+14155552671").status_code == 200
    assert sign_up(site, german(9)).status_code == 422 and asked(site) == 8


def test_the_budget_of_a_day_holds_over_hours(site: Site) -> None:
    settings(site, sms_signup_countries=["DE"], sms_signups_per_day=3)
    for number in range(3):
        sign_up(site, german(number))
    site.rows("update consent_requests set requested_at = requested_at - interval '5 hours' returning 1")
    assert sign_up(site, german(4)).status_code == 422
    site.rows("update consent_requests set requested_at = requested_at - interval '1 day' returning 1")
    assert sign_up(site, german(4)).status_code == 200


@pytest.mark.parametrize("number", ["+493012345678", "+4990012345678", "+870773111632", "+18002255288"])
def test_numbers_that_take_no_texts_or_cost_extra_get_none(site: Site, number: str) -> None:
    assert sign_up(site, number).status_code == 422
    assert asked(site) == 0 and site.rows("select from contacts") == []
    assert site.rows("select from deliveries") == []


def test_who_comes_at_the_same_moment_is_counted(site: Site) -> None:
    threads = [threading.Thread(target=sign_up, args=(site, german(number))) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked(site) == 5


def test_programs_have_the_same_budget(site: Site) -> None:
    with site.database.transaction() as session:
        site.key = users.create_api_key(session, "server", (CONSENT,))
    body = {"channel": "sms", "state": "subscribed", "confirm": True}
    answers = [site.post("/v1/consent", body | {"phone": german(number)}).status_code for number in range(6)]
    assert answers == [200] * 5 + [400] and asked(site) == 5
    assert len(site.rows("select from deliveries")) == 1
