"""Lists on their pages, and on the page of a contact."""

from __future__ import annotations

from flask.testing import FlaskClient
from sqlalchemy import insert, text

from engine.db import Database
from engine.model import Contact
from tests.webapp.pages.conftest import post, token


def test_people_are_put_on_a_list_by_hand_and_taken_off(marketer: FlaskClient, shop_database: Database) -> None:
    with shop_database.transaction() as session:
        people = [{"external_id": f"list-{name}", "email": f"{name}@lists.example"} for name in ("ann", "ben")]
        session.execute(insert(Contact), people)
    assert post(marketer, "/lists/-/new", name="Beta testers").headers["Location"] == "/lists/beta-testers"
    assert 'in list "beta-testers"' in marketer.get("/lists").text
    assert "Nobody is on it" in marketer.get("/lists/beta-testers").text
    names = "ann@lists.example\r\nlist-ben, nobody@lists.example\n=cmd()"
    page = marketer.post(
        "/lists/beta-testers", data={"csrf_token": token(marketer), "names": names, "what": "on"}, follow_redirects=True
    ).text
    assert "2 put on." in page and "Not known: nobody@lists.example, =cmd()" in page and "2 on it" in page
    file = marketer.get("/lists/beta-testers/members.csv")
    assert file.text.splitlines()[1].startswith("list-ben,ben@lists.example,,")
    assert "beta-testers.csv" in file.headers["Content-Disposition"]
    post(marketer, "/lists/beta-testers", names="list-ben", what="off")
    assert "1 on it" in marketer.get("/lists/beta-testers").text
    assert post(marketer, "/lists/beta-testers", names=" ").status_code == 422
    assert post(marketer, "/lists/-/new", name="…").status_code == 422
    assert marketer.get("/lists/nothing").status_code == 404
    with shop_database.transaction() as session:
        noted = session.execute(
            text("select action, detail from audit_log where object = 'list beta-testers' order by id")
        )
        assert [tuple(row) for row in noted] == [("put on", {"contacts": 2}), ("take off", {"contacts": 1})]


def test_a_contact_shows_its_lists_and_is_put_on_others(
    marketer: FlaskClient, viewer: FlaskClient, shop_database: Database
) -> None:
    post(marketer, "/lists/-/new", name="Friends")
    with shop_database.transaction() as session:
        made = insert(Contact).values(email="cid@lists.example").returning(Contact.public_id)
        public_id = session.execute(made).scalar_one()
    address = f"/contacts/{public_id}"
    assert '<option value="friends">Friends</option>' in marketer.get(address).text
    assert post(marketer, f"{address}/list", list="friends").headers["Location"] == address
    assert 'href="/lists/friends"' in marketer.get(address).text
    assert 'aria-label="Take off Friends"' not in viewer.get(address).text
    assert post(viewer, f"{address}/list", list="friends", what="off").status_code == 403
    assert (
        post(marketer, f"{address}/list", list="friends", what="off", back="list").headers["Location"]
        == "/lists/friends"
    )
    assert 'href="/lists/friends"' not in marketer.get(address).text
    assert post(marketer, f"{address}/list", list="nothing").status_code == 404
