"""Every address of the site with hostile paths, queries, forms and headers, signed in and out: no 500.

Bound: 250 ms a request (CPU), the rule check of a page 1 s.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.routing import Rule
from werkzeug.test import EnvironBuilder, run_wsgi_app

from engine.db import Database
from engine.settings import Settings
from engine.signing import Reference
from tests.conftest import drop, new_database
from tests.fuzz import hostile
from tests.fuzz.bounds import EFFORT, fuzz, within
from tests.webapp.calling import SIGNER, Site, serving
from tests.webapp.pages import sample
from tests.webapp.pages.conftest import at_work, built  # noqa: F401
from webapp.app import create_app

NAMES = (
    "q", "after", "before", "period", "journey", "next", "channel", "to", "view", "email", "password", "current", "new",
    "name", "rule", "text", "action", "csrf_token", "scope", "slug", "id", "page", "sort",
)  # fmt: skip
KNOWN = (
    "welcome", "2026-01-01T00:00:00+23:59", "2026-01-01T00:00:00+00:00:00.000001", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-14:00", "999999999999999999", "30", "email", "source", "publish", "draft", "channel",
    'plan is "pro"', 'opened "welcome" or ' * 99 + "opened", "a > b and " * 50 + "a > b", sample.TEXT, sample.MARKETER,
    "journey: x\nenter: {on: A}\nsteps: [{exit: true, id: a}]\n", 'journey: x\ntitle: "\\0"\nenter: {on: A}\nsteps: []',
)  # fmt: skip
given_values = st.one_of(hostile.texts, st.sampled_from(KNOWN))
fields = st.dictionaries(st.sampled_from(NAMES) | hostile.texts, given_values, max_size=5)
request_headers = st.dictionaries(
    st.sampled_from(("Host", "Accept", "Cookie", "Referer", "HX-Request", "User-Agent", "Accept-Language",
    "X-Forwarded-For")),
    st.one_of(st.sampled_from(("[", "a b", "example.com:99999", "*/*;q=x", "application/json", "true", "", "=;=;",
    "\xff")),
              st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)),
    max_size=3,
)  # fmt: skip


@pytest.fixture(scope="module")
def workplace(postgres_url: str, built: None) -> Iterator[tuple[Database, Flask]]:  # noqa: F811
    """The sample shop in a workspace of its own, without the check of form tokens."""
    database = new_database(postgres_url)
    sample.build(database, dt.datetime.now(dt.UTC))
    app = create_app(database, None, Settings())
    app.config |= {"WTF_CSRF_ENABLED": False, "PROPAGATE_EXCEPTIONS": False}
    yield database, app
    drop(database)


@pytest.fixture(scope="module")
def people(workplace: tuple[Database, Flask]) -> dict[str, FlaskClient]:
    database, app = workplace
    workers = {name: at_work(app, database, name) for name in (sample.MARKETER, sample.VIEWER)}
    return {"": app.test_client(), **workers}


def rules(app: Flask) -> list[Rule]:
    """Every address but signing out, which would end the session, and files, which the library serves."""
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in ("auth.sign_out", "static")]


def address(rule: Rule, pieces: list[str]) -> str:
    """The rule with hostile values in its places."""
    left = list(pieces)
    return "".join(left.pop(0) if dynamic else text for dynamic, text in rule._trace if text != "|" or dynamic)


def ask(client: FlaskClient, path: str, method: str, query: Any, form: Any, headers: Any) -> None:
    sent = {"data": form} if method == "POST" else {}
    with within(1, (path, method, query, form)):
        answer = client.open(quote(path), method=method, query_string=query, headers=headers, **sent)
    assert answer.status_code < 500, (answer.status_code, path, method, query, form, headers)


@fuzz(100)
@given(
    who=st.sampled_from(("", sample.VIEWER, sample.MARKETER, sample.MARKETER, sample.MARKETER)),
    which=st.integers(0, 99),
    pieces=st.lists(given_values, min_size=2, max_size=2),
    method=st.sampled_from(("GET", "GET", "POST", "POST", "HEAD", "OPTIONS", "PUT")),
    query=fields,
    form=fields,
    headers=request_headers,
)
@example("", 0, ["a", "b"], "GET", {"next": "//["}, {}, {})
def test_pages(
    people: dict[str, FlaskClient], workplace: tuple[Database, Flask], who: str, which: int, pieces: list[str],
    method: str, query: dict[str, str], form: dict[str, str], headers: dict[str, str],
) -> None:  # fmt: skip
    known = rules(workplace[1])
    ask(people[who], address(known[which % len(known)], pieces), method, query, form, headers)


WORST = ["a\0b", "//[", KNOWN[1], "x" * 5_000, "\0", "/[", "\ud7ff", KNOWN[2], KNOWN[3], KNOWN[4]]


@pytest.mark.parametrize("value", WORST if EFFORT > 1 else WORST[:3])
def test_every_address_with_the_worst_values(
    people: dict[str, FlaskClient], workplace: tuple[Database, Flask], value: str
) -> None:
    """The sweep: each address, each field, one value; the forms too, but the password's, which is slow by intent."""
    everything = {name: value for name in NAMES if name not in ("csrf_token", "password", "current")}
    for rule in rules(workplace[1]):
        for who in ("", sample.MARKETER):
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                ask(people[who], address(rule, [value, value]), method, everything, everything, {})


@pytest.fixture(scope="module")
def site(workplace: tuple[Database, Flask]) -> Iterator[Site]:
    with serving(workplace[0], client_ip_header="X-Forwarded-For") as made:
        yield made


TOKENS = [SIGNER.token(purpose, Reference(1, 1_700_000_000_000_000, 1)) for purpose in ("open", "click", "unsubscribe")]


@fuzz(120)
@given(
    prefix=st.sampled_from(("/o/", "/c/", "/u/", "/v1/", "/healthz", "/readyz", "/v1/track", "")),
    token=st.sampled_from(TOKENS) | hostile.texts,
    method=st.sampled_from(("GET", "HEAD", "POST", "OPTIONS", "DELETE")),
    body=st.binary(max_size=40)
    | st.sampled_from((b"scope=channel", b"List-Unsubscribe=One-Click", b"scope=%ff" * 999)),
    length=st.sampled_from((None, None, "abc", "-1", "", "9" * 40, "٣")),
    headers=request_headers,
    forwarded=st.sampled_from(
        ("", "fe80::1%eth0", "1.2.3.4, ::ffff:1.2.3.4", "[::1]:80", "\0", "٣.1.1.1", "a" * 9_000)
    ),
)
@example("/u/", TOKENS[2], "POST", b"", "abc", {}, "")
def test_public_addresses(
    site: Site, prefix: str, token: str, method: str, body: bytes, length: str | None, headers: dict[str, str],
    forwarded: str,
) -> None:  # fmt: skip
    environ = EnvironBuilder(path="/", method=method, data=body).get_environ()
    environ["PATH_INFO"] = (prefix + token).encode().decode("latin-1")
    environ |= {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
    environ |= {"HTTP_X_FORWARDED_FOR": forwarded, "HTTP_USER_AGENT": headers.get("User-Agent", "")}
    if length is not None:
        environ["CONTENT_LENGTH"] = length
    with within(0.25, environ["PATH_INFO"]):
        _, status, _ = run_wsgi_app(site.client.application, environ)
    assert int(status[:3]) < 500, (status, prefix, token, method, body, length, headers, forwarded)
