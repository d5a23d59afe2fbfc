"""The contents: the list, one as any contact would get it, and a test send."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine.settings import Settings
from tests.engine.previews.test_previews import ANSWER, answering
from tests.smtp import recording_server
from tests.webapp.pages.conftest import post


def test_the_list_has_subjects_and_warnings(marketer: FlaskClient) -> None:
    page = marketer.get("/contents").text
    assert 'href="/contents/letter"' in page and "Hello {{ first_name }}" in page
    assert 'href="/contents/nudge"' not in page  # it has no saved version


def test_a_content_is_shown_with_sample_values_or_as_a_contact(marketer: FlaskClient) -> None:
    page = marketer.get("/contents/letter").text
    assert "Hello Alex" in page and "Sample values" in page and "sandbox=" in page
    known = marketer.get("/contents/letter?as=cus_1001").text
    assert "Sample values" not in known and "<code>score</code>" in known and "has no value" not in known
    missing = marketer.get("/contents/letter?as=nobody@x.example").text
    assert "No contact is called “nobody@x.example”." in missing and "Hello Alex" in missing
    assert marketer.get("/contents/nudge").status_code == 404
    assert marketer.get("/contents/nothing/body").status_code == 404


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("view=text", "Hi Alex"),
        ("view=headers", "List-Unsubscribe-Post"),
        ("view=source", "prefers-color-scheme"),
        ("view=rendered&dark=1", "/contents/letter/body?dark=1"),
        ("view=nonsense", "<iframe"),
    ],
)
def test_a_content_has_views(marketer: FlaskClient, query: str, text: str) -> None:
    assert text in marketer.get(f"/contents/letter?{query}").text


def test_the_body_is_alone_in_a_sandbox_light_or_dark(marketer: FlaskClient) -> None:
    light, dark = marketer.get("/contents/letter/body"), marketer.get("/contents/letter/body?dark=1")
    assert "sandbox" in light.headers["Content-Security-Policy"] and "Hi Alex" in light.text
    assert "prefers-color-scheme" in light.text and "prefers-color-scheme" not in dark.text


def test_a_text_message_has_its_parts(marketer: FlaskClient) -> None:
    page = marketer.get("/contents/note").text
    assert "Hi Alex" in page and "<dt>Parts</dt><dd>1, GSM 03.38, " in page and "Send a test" not in page


def test_a_content_is_shown_in_each_of_its_languages(marketer: FlaskClient) -> None:
    assert '<span class="tag">de</span>' in marketer.get("/contents").text
    page = marketer.get("/contents/greeting").text
    assert "Good day" in page and '<option value="de">' in page and "<dt>Language</dt><dd>en</dd>" in page
    german = marketer.get("/contents/greeting?language=de").text
    assert "Guten Tag" in german and "language=de" in german and '<option value="de" selected>' in german
    assert "Willkommen" in marketer.get("/contents/greeting/body?language=de").text
    known = marketer.get("/contents/greeting?as=cus_1001").text
    assert "<dd>en: the contact has no language</dd>" in known
    assert "Nothing was sent in the last 30 days" in marketer.get("/contents/greeting?figures=1").text
    assert marketer.get("/contents/greeting?language=fr").status_code == 404
    assert marketer.get("/contents/letter?language=de").status_code == 404


def test_a_test_goes_out_in_the_language_that_is_shown(marketer: FlaskClient, relay: list[tuple[str, bytes]]) -> None:
    answer = post(marketer, "/contents/greeting/test", to="mara@x.example", language="de")
    assert answer.location.endswith("/contents/greeting?language=de")
    assert b"Subject: [Test] Guten Tag\r\n" in relay[0][1] and b"Content-Language: de\r\n" in relay[0][1]


@pytest.fixture
def relay(app: Flask) -> Iterator[list[tuple[str, bytes]]]:
    """The application with a mail server; what that got."""
    before = app.extensions["cairn.settings"]
    with recording_server(keep=True) as server:
        app.extensions["cairn.settings"] = Settings(smtp_url=server.url)
        yield server.messages
    app.extensions["cairn.settings"] = before


def test_a_test_goes_to_colleagues_marked(marketer: FlaskClient, relay: list[tuple[str, bytes]]) -> None:
    answer = post(marketer, "/contents/letter/test", to="a@x.example, b@x.example", **{"as": "cus_1001"})
    assert answer.status_code == 302 and "as=cus_1001" in answer.headers["Location"]
    assert [recipient for recipient, _ in relay] == ["a@x.example", "b@x.example"]
    assert all(b"Subject: [Test] Hello" in data for _, data in relay)
    assert "on its way to a@x.example, b@x.example" in marketer.get(answer.headers["Location"]).text


def test_a_test_is_refused_with_a_reason(
    marketer: FlaskClient, viewer: FlaskClient, relay: list[tuple[str, bytes]]
) -> None:
    for form in ({"to": "nobody"}, {"to": ""}, {"to": "a@x.example", "as": "nobody@x.example"}):
        answer = post(marketer, "/contents/letter/test", **form)
        assert answer.status_code == 302 and "notice-warn" in marketer.get("/contents/letter").text
    assert post(viewer, "/contents/letter/test", to="a@x.example").status_code == 403
    assert marketer.post("/contents/letter/test", data={"to": "a@x.example"}).status_code == 400
    assert relay == []


def test_without_a_mail_server_a_test_says_what_to_do(marketer: FlaskClient) -> None:
    post(marketer, "/contents/letter/test", to="a@x.example")
    assert "cairn up" in marketer.get("/contents/letter").text


def test_rspamd_is_asked_when_somebody_wants_to_know(app: Flask, marketer: FlaskClient) -> None:
    before = app.extensions["cairn.settings"]
    assert "rspamd" not in marketer.get("/contents/letter?spam=1").text
    try:
        with answering(200, json.dumps(ANSWER).encode()) as (url, asked):
            app.extensions["cairn.settings"] = Settings(rspamd_url=url)
            page = marketer.get("/contents/letter").text
            assert "Ask rspamd" in page and asked == []
            page = marketer.get("/contents/letter?spam=1").text
            assert "Spam score 6.6 of 15.0" in page and "+5.1 Message probably spam" in page and len(asked) == 1
        assert "does not answer" in marketer.get("/contents/letter?spam=1").text
    finally:
        app.extensions["cairn.settings"] = before


def test_a_snippet_is_shown_alone_with_those_who_hold_it(marketer: FlaskClient) -> None:
    assert 'href="/snippets"' in marketer.get("/contents").text
    listed = marketer.get("/snippets").text
    assert 'href="/snippets/farewell"' in listed and '<td data-name="Contents" class="num">1</td>' in listed
    page = marketer.get("/snippets/farewell").text
    assert 'href="/contents/greeting"' in page and "must be given" in page and "/snippets/farewell/body" in page
    assert "<b>Bye, who</b>" in marketer.get("/snippets/farewell/body").text
    german = marketer.get("/snippets/farewell/body?language=de&dark=1")
    assert "Tschüs" in german.text and "sandbox" in german.headers["Content-Security-Policy"]
    assert "param.who" in marketer.get("/snippets/farewell?view=source").text
    assert "Tschüs" in marketer.get("/snippets/farewell?view=text&language=de").text
    assert marketer.get("/snippets/farewell?language=fr").status_code == 404
    assert marketer.get("/snippets/gone").status_code == 404
    assert 'href="/snippets/farewell"' in marketer.get("/contents/greeting").text
