"""The application on the sample shop, and clients that are signed in."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine import users
from engine.db import Database
from engine.settings import Settings
from tests.conftest import drop, new_database
from tests.webapp.pages import sample
from tests.webapp.pages.sample import Shop
from webapp.app import create_app
from webapp.auth.people import person_of
from webapp.frontend import build

TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


@pytest.fixture(scope="session")
def built() -> None:
    """The front end as the sources are; building takes seconds and only when they changed."""
    build.build()


@pytest.fixture(scope="session")
def shop_database(postgres_url: str) -> Iterator[Database]:
    """One workspace for all page tests; each test that writes uses names of its own."""
    made = new_database(postgres_url)
    yield made
    drop(made)


@pytest.fixture(scope="session")
def shop(shop_database: Database) -> Shop:
    """The sample shop."""
    return sample.build(shop_database, dt.datetime.now(dt.UTC))


@pytest.fixture(scope="session")
def app(shop_database: Database, shop: Shop, built: None) -> Flask:
    """The application as it is served."""
    made = create_app(shop_database, None, Settings())
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    """Somebody who is not signed in."""
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask) -> Callable[[str], FlaskClient]:
    """Makes a client that is signed in with an address."""

    def make(email: str, password: str = sample.PASSWORD) -> FlaskClient:
        client = app.test_client()
        assert post(client, "/sign-in", email=email, password=password).status_code == 302
        return client

    return make


@pytest.fixture
def marketer(app: Flask, shop_database: Database) -> FlaskClient:
    """A marketer at work."""
    return at_work(app, shop_database, sample.MARKETER)


@pytest.fixture
def viewer(app: Flask, shop_database: Database) -> FlaskClient:
    """Somebody who may only look."""
    return at_work(app, shop_database, sample.VIEWER)


def at_work(app: Flask, database: Database, email: str) -> FlaskClient:
    """A client with a session, without the price of hashing a password."""
    with database.transaction() as session:
        user = users.by_email(session, email)
        assert user is not None
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = person_of(user).get_id()
    return client


def token(client: FlaskClient) -> str:
    """A CSRF token of the client's session."""
    page = client.get("/sign-in", follow_redirects=True).text
    found = TOKEN.search(page)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, **form: str) -> TestResponse:
    """A form as a page sends it."""
    return client.post(path, data={"csrf_token": token(client), **form})
