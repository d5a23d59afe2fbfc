"""Programs that put contacts on lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert

from engine import users
from engine.contacts import lists
from engine.db import Database
from engine.model import Contact
from tests.webapp.calling import Site, serving

ON = """
select c.external_id from list_memberships m join contacts c on c.id = m.contact_id
where removed_at is null order by 1"""


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    with serving(database) as made:
        with database.transaction() as session:
            lists.create(session, "vip")
            people = [
                {"external_id": "ann", "email": "Ann@x.example"},
                {"external_id": "ben", "phone": "+4915112345678"},
            ]
            session.execute(insert(Contact), [{"attributes": {}, "email": None, "phone": None} | one for one in people])
            made.key = users.create_api_key(session, "crm", ("lists",))
        yield made


def call(site: Site, verb: str, *contacts: Any, slug: str = "vip") -> tuple[int, Any]:
    answer = site.post(f"/v1/lists/{slug}/{verb}", {"contacts": list(contacts)})
    return answer.status_code, answer.json


def test_contacts_are_put_on_and_taken_off_by_any_of_their_names_once(site: Site) -> None:
    done = {"success": True, "changed": 2, "unknown": ["nobody"]}
    assert call(site, "add", "ann@X.example", "ann", "+4915112345678", "nobody") == (200, done)
    assert site.rows(ON) == [("ann",), ("ben",)]
    assert call(site, "add", "ann") == (200, {"success": True, "changed": 0, "unknown": []})
    assert call(site, "remove", "ann", "ben") == (200, {"success": True, "changed": 2, "unknown": []})
    assert site.rows(ON) == []
    changes = site.rows("select kind, names from change_inbox where kind = 'list'")
    assert changes == [("list", ["vip"])] * 4
    assert site.rings


@pytest.mark.parametrize("contacts", [[], ["x"] * 1001, [7], [""], ["x" * 600], None, "ann"])
def test_what_is_no_list_of_names_is_refused(site: Site, contacts: Any) -> None:
    answer = site.post("/v1/lists/vip/add", {"contacts": contacts})
    assert answer.json is not None
    assert (answer.status_code, "contacts" in answer.json["message"]) == (400, True)


def test_a_list_that_is_not_there_is_not_found(site: Site) -> None:
    assert call(site, "add", "ann", slug="nothing")[0] == 404
    assert site.client.get("/v1/lists/vip/add", auth=(site.key, "")).status_code == 405


def test_a_key_that_is_for_something_else_changes_no_list(site: Site) -> None:
    with site.database.transaction() as session:
        site.key = users.create_api_key(session, "page", ("ingest",))
    status, said = call(site, "add", "ann")
    assert (status, "--for lists" in said["message"]) == (403, True)
