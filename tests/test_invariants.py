"""Each check of the invariants finds what is planted for it, and nothing in a healthy workspace."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text

from engine.db import Database
from tests import invariants
from tests.engine.messages.ledger import fill, now
from tests.invariants import Ban, violations

ENTRY = "insert into enrolments (journey_id, version_id, contact_id, entry_key, status, phase, step_id, wake_at, \
entered_at, ended_at, trigger_occurred_at, trigger_received_at) values \
(1, 1, 1, random()::text, {status}, {phase}, 'a', {wake}, now(), {ended}, now(), now())"
COUNTED = "insert into entry_rollups (journey_id, split_id, arm, day, entries, contacts) \
values (1, '', '', current_date, 1, 1)"
ACCEPT = "update messages set state = 'sending', claimed_at = now(), journal = 'j', attempts = 1; \
update messages set state = 'accepted', accepted_at = now()"
LOGGED = "insert into step_log (at, enrolment_id, contact_id, version_id, step_id, visit, outcome) \
values (now(), 7, 1, 1, 'a', 1, 'queued')"


@pytest.fixture
def tokens(database: Database) -> list[str]:
    """Three queued messages to contacts 1, 2 and 3 in a watched workspace."""
    with database.transaction() as session:
        invariants.watch(session)
        fill(session, 3)
        return list(session.execute(text("select token from messages order by id")).scalars())


def run(database: Database, *statements: str) -> None:
    with database.transaction() as session:
        for statement in statements:
            for part in statement.split("; "):
                session.execute(text(part))


def found(database: Database, accepted: dict[str, int], *bans: Ban) -> list[str]:
    with database.transaction() as session:
        return violations(session, accepted, bans)


def test_a_healthy_workspace_violates_nothing(database: Database, tokens: list[str]) -> None:
    assert found(database, {}) == []
    run(database, COUNTED, ENTRY.format(status="'active'", phase="'waiting'", wake="now()", ended="null"))
    assert found(database, {}) == []


def test_i1_sees_what_the_receiver_took_twice_and_what_it_never_took(database: Database, tokens: list[str]) -> None:
    one, two, _ = tokens
    run(database, ACCEPT)
    lines = "\n".join(found(database, {one: 2, "stray": 1}))
    assert f"I1 message {one} was accepted 2 times" in lines
    assert "I1 message stray was accepted and is not in the ledger" in lines
    assert f"I1 message {two} is accepted and was never received" in lines


def test_i1_sees_what_arrived_and_would_be_sent_again(database: Database, tokens: list[str]) -> None:
    assert found(database, {tokens[0]: 1}) == [f"I1 message {tokens[0]} was accepted and its state is queued"]


@pytest.mark.parametrize("slot", ["enrolment_id = 7, visit = 1", "campaign_id = 7, contact_id = 1"])
def test_i1_sees_two_messages_in_one_place(database: Database, tokens: list[str], slot: str) -> None:
    run(
        database,
        "alter table messages drop constraint messages_origin_at_enrolment_id_step_id_visit_key",
        "drop index messages_campaign_key",
        f"update messages set {slot}",
        ACCEPT,
    )
    lines = "\n".join(found(database, dict.fromkeys(tokens, 1)))
    assert "was accepted as 3 messages" in lines
    assert ": 3 messages" in lines


@pytest.mark.parametrize(
    "entry",
    [
        {"status": "'active'", "phase": "'asleep'", "wake": "now()", "ended": "null"},
        {"status": "'completed'", "phase": "null", "wake": "now()", "ended": "now()"},
        {"status": "'exited'", "phase": "null", "wake": "null", "ended": "null"},
    ],
)
def test_i2_sees_who_does_not_wake_and_who_wakes_after_the_end(
    database: Database, tokens: list[str], entry: dict[str, str]
) -> None:
    run(database, COUNTED, ENTRY.format(**entry))
    assert [line[:12] for line in found(database, {})] == ["I2 enrolment"]


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("update messages set state = 'accepted', accepted_at = now() where id = 1", "went from queued to accepted"),
        (ACCEPT + "; update messages set state = 'queued', accepted_at = null", "went from accepted to queued"),
        ("update messages set journal = 'j' where id = 1", "is queued, attempts 0"),
        ("delete from messages where id = 1", "went from queued to deleted"),
        ("update messages set state = 'lost' where id = 1", "is lost"),
        (LOGGED, "enrolment 7 step a: 1 times queued, 0 messages"),
    ],
)
def test_i3_sees_steps_off_the_lattice_and_half_states(
    database: Database, tokens: list[str], statement: str, finding: str
) -> None:
    run(database, statement)
    assert any(line.startswith("I3") and finding in line for line in found(database, dict.fromkeys(tokens, 0)))


def test_i4_sees_a_counter_that_was_not_raised(database: Database, tokens: list[str]) -> None:
    run(database, ACCEPT)
    assert [line[:12] for line in found(database, dict.fromkeys(tokens, 1))] == ["I4 messages "]


def test_i5_sees_a_try_that_began_after_the_ban(database: Database, tokens: list[str]) -> None:
    with database.transaction() as session:
        early = invariants.ban(session, 1)
    run(database, ACCEPT)
    with database.transaction() as session:
        late = invariants.ban(session, 1)
    lines = found(database, dict.fromkeys(tokens, 1), early)
    assert f"I5 message {tokens[0]} was accepted: try 1, and 0 had begun before the ban" in lines
    assert not any(line.startswith("I5") for line in found(database, dict.fromkeys(tokens, 1), late))


def test_i6_sees_what_is_left(database: Database, tokens: list[str]) -> None:
    run(
        database,
        "insert into event_inbox (available_at, contact_id, name, occurred_at, received_at, message_id) "
        "values ('infinity', 1, 'x', now(), now(), 'm')",
        "insert into change_inbox (contact_id, kind, names) values (1, 'attribute', '{}')",
    )
    with database.transaction() as session:
        assert len(invariants.quiet(session, now)) == len(tokens) + 2
        assert len(invariants.quiet(session, now - dt.timedelta(days=1))) == 2


def test_a_message_names_its_token() -> None:
    assert invariants.token_of(b"Subject: x\r\nMessage-ID: <abc@host>\r\n\r\nMessage-ID: <no@host>\r\n") == "abc"
    with pytest.raises(ValueError):
        invariants.token_of(b"Subject: x\r\n\r\n")
