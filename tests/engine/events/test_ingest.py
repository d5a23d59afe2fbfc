"""Calls of the Segment spec become contacts, attributes and events."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.events.ingest import Call, apply

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


def call(type_: Any, message_id: str, **values: Any) -> Call:
    return Call(type_, message_id, NOW, **values)


def test_a_visit_becomes_a_customer_with_one_history(session: Session) -> None:
    outcomes = apply(
        session,
        [
            call("page", "1", anonymous_id="a", name="Home", properties={"path": "/"}),
            call("identify", "2", user_id="u", anonymous_id="a",
                 traits={"email": "Ann@X.example", "phone": "+1 415 555 2671", "plan": "pro", "id": "u"}),
            call("track", "3", user_id="u", name="Order Completed", properties={"total": 5}, context={"ip": "::1"}),
            call("group", "4", user_id="u", group_id="g", traits={"seats": 20}),
            call("screen", "5", user_id="u"),
        ],
        NOW,
    )  # fmt: skip
    assert {o.status for o in outcomes} == {"recorded"} and len({o.contact_id for o in outcomes}) == 1
    row = session.execute(text("select * from contacts")).one()
    assert (row.external_id, row.email, row.phone) == ("u", "Ann@x.example", "+14155552671")
    assert row.attributes == {"plan": "pro", "company": {"id": "g", "seats": 20}}
    events = session.execute(text("select name, properties, contact_id from events order by message_id")).all()
    assert [tuple(event) for event in events] == [
        ("Page Viewed", {"name": "Home", "path": "/"}, row.id),
        ("Order Completed", {"total": 5}, row.id),
        ("Screen Viewed", {}, row.id),
    ]


def test_each_call_has_its_own_outcome(session: Session) -> None:
    outcomes = apply(
        session,
        [
            call("track", "1", user_id="u", name="Seen"),
            call("track", "1", user_id="u", name="Seen"),
            call("track", "2", user_id="u", name="Seen", properties={"x": "\0"}),
            call("track", "3", name="Seen"),
            call("identify", "4", user_id="v", traits={"email": "nonsense", "plan": "pro", "timezone": "Mars"}),
        ],
        NOW,
    )
    assert [o.status for o in outcomes] == ["recorded", "duplicate", "refused", "refused", "recorded"]
    assert [p.name for p in outcomes[4].problems] == ["email", "timezone"]
    assert session.execute(text("select count(*) from contacts")).scalar() == 2


def test_an_alias_joins_and_null_traits_remove(session: Session) -> None:
    apply(session, [call("track", "1", anonymous_id="a", name="Seen")], NOW)
    one, two = apply(
        session,
        [
            call("alias", "2", user_id="u", previous_id="a"),
            call("identify", "3", user_id="u", traits={"email": "a@x.example", "plan": "pro"}),
        ],
        NOW,
    )
    assert one.contact_id == two.contact_id
    apply(session, [call("identify", "4", user_id="u", traits={"email": None, "plan": None})], NOW)
    row = session.execute(text("select email, attributes from contacts")).one()
    assert tuple(row) == (None, {})
    assert session.execute(text("select contact_id from events")).scalar() == one.contact_id
