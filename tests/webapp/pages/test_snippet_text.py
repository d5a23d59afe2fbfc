"""Writing snippets on pages: checked at their lines, seen, saved into the contents that hold them, and deleted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from engine.content import taken
from engine.db import Database
from tests.webapp.pages.conftest import post
from tests.webapp.pages.test_content_text import lines, mail, own, sources

__all__ = ["own"]
FOOT = "---\nlanguage: en\nparams: {who: you}\n---\n<b>Bye, {{ param.who }}</b>"


@pytest.fixture
def tidy(own: Database) -> Iterator[Database]:
    """Snippets of these tests are gone afterwards."""
    yield own
    with own.transaction() as session:
        session.execute(text("delete from snippets where slug in ('foot', 'new-one')"))


def test_a_snippet_is_written_changed_translated_and_deleted(marketer: FlaskClient, tidy: Database) -> None:
    for kind in ("email", "sms"):
        assert "Ready to save" in marketer.get(f"/snippets/-/new?kind={kind}").text
    made = post(marketer, "/snippets/-/new", name="Foot", text=FOOT, number="0", kind="email")
    assert made.location == "/snippets/foot?new=email"
    assert post(marketer, "/snippets/-/new", name="Foot", text=FOOT, number="0").status_code == 422
    post(marketer, "/contents/both/edit", text=mail(text="Hi {% snippet 'foot' %}"), number="1")
    assert "1 content anew" in marketer.get("/snippets/foot/edit").text
    answer = post(marketer, "/snippets/foot/edit", text=FOOT.replace("Bye", "See you"), number="1", slug="foot")
    assert answer.location == "/snippets/foot" and (3, "en") in sources(tidy, "both")
    assert "sent with it from now on: 1." in marketer.get("/snippets/foot").text
    late = post(marketer, "/snippets/foot/edit", text=FOOT, number="1", slug="foot")
    assert late.status_code == 422 and "Somebody saved version 2 meanwhile" in late.text
    assert "de, new" in marketer.get("/snippets/foot/edit?adding=1&language=de").text
    german = {"slug": "foot", "language": "de", "adding": "1"}
    assert "Tsch" in post(marketer, "/snippets/-/look", text="<b>Tsch\u00fcs {{ param.who }}</b>", **german).text
    post(marketer, "/snippets/foot/edit", text="<b>Tsch\u00fcs {{ param.who }}</b>", number="2", **german)
    with tidy.transaction() as session:
        assert taken.find(session, "foot")[0].languages == ["de"]
    post(marketer, "/snippets/foot/delete")
    assert "still held by the content" in marketer.get("/snippets/foot").text
    post(marketer, "/contents/both/edit", text=mail(), number="4")
    assert post(marketer, "/snippets/foot/delete").location == "/snippets"
    assert marketer.get("/snippets/foot").status_code == 404


def test_errors_stand_at_their_lines_and_nothing_is_saved(
    marketer: FlaskClient, viewer: FlaskClient, tidy: Database
) -> None:
    wrong = "---\nlanguage: en\n---\n<b>x</b>\n{{ x|uper }}"
    refused = post(marketer, "/snippets/-/new", name="New one", text=wrong, number="0")
    assert refused.status_code == 422 and lines(refused.text) == [("Error", "5")] and "uper" in refused.text
    assert lines(post(marketer, "/snippets/-/check", text=wrong).text) == [("Error", "5")]
    assert "nothing to see" in post(marketer, "/snippets/-/look", text=wrong).text
    assert marketer.get("/snippets/new-one").status_code == 404
    post(marketer, "/snippets/-/new", name="New one", text=FOOT, number="0")
    post(marketer, "/contents/both/edit", text=mail(text="{% snippet 'new-one' who='Ann' %}"), number="1")
    breaks = post(marketer, "/snippets/new-one/edit", text="no params", number="1", slug="new-one")
    assert breaks.status_code == 422 and "would break the content" in breaks.text
    assert (3, "en") not in sources(tidy, "both")
    assert post(viewer, "/snippets/new-one/edit", text=FOOT, number="1", slug="new-one").status_code == 403
    assert "readonly" in viewer.get("/snippets/new-one/edit").text
