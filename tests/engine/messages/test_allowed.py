"""A staging system writes to those whom it is told, and to nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from engine.channels.allowed import parse
from engine.db import Database
from engine.errors import ConfigurationError
from engine.webhooks.mail import send_notes
from tests.engine.channels.servers import scripted
from tests.engine.messages.ledger import fill, now, sender, states
from tests.ledger import assert_counters_equal_ledger


@pytest.mark.parametrize(
    ("address", "lets"),
    [
        ("Ann@x.example", True),
        (" ann@X.example ", True),
        ("bob@x.example", False),
        ("ann@x.example.evil.example", False),
        ("anyone@Cairn.example", True),
        ("ann@x.example@cairn.example", True),
        ("anyone@sub.cairn.example", False),
        ("anyone@notcairn.example", False),
        ("cairn.example", False),
        ("+491701234567", True),
        ("+41791234567", True),
        ("+417912345678", False),
        ("+4", False),
        ("", False),
    ],
)
def test_addresses_domains_numbers_and_beginnings_are_let(address: str, lets: bool) -> None:
    allowed = parse("ann@x.example, @cairn.example +41791234567,+49*")
    assert allowed is not None and allowed.lets(address) is lets


def test_nothing_set_lets_everybody_and_what_is_no_recipient_is_refused() -> None:
    assert parse("") is None
    for wrong in (",", "*", "cairn.example", "@", "+*", "ann@x.example,49*", "@a@b"):
        with pytest.raises(ConfigurationError, match="CAIRN_ALLOWED_RECIPIENTS"):
            parse(wrong)


@pytest.mark.parametrize("transactional", [False, True])
def test_everybody_else_ends_at_the_gate(database: Database, tmp_path: Path, transactional: bool) -> None:
    with database.transaction() as session:
        fill(session, 3, transactional=transactional)
        fill(session, 2, channel="sms", slug="short", transactional=True)
    with scripted() as server:
        made = sender(tmp_path, server.url, allowed=parse("user1@example.com, +12025550000"))
        made.send(database)
        made.close()
    assert [b"To: " in mail and b"user1@example.com" in mail for mail in server.messages] == [True]
    assert states(database) == {"accepted": 2, "suppressed:not_allowed": 3}
    with database.transaction() as session:
        assert_counters_equal_ledger(session)
        seen = session.execute(text("select distinct seen -> 'address' from messages where seen is not null"))
        assert seen.scalars().all() == [{"present": True, "on_the_list": False}]


def test_notes_go_to_no_other_colleagues(database: Database) -> None:
    with database.transaction() as session:
        for name in ("eve", "ann"):
            session.execute(
                text(
                    "insert into deliveries (step_id, visit, endpoint, address, payload, next_at, created_at) "
                    "values ('', 0, '', :address, '{\"note\": \"Look.\"}', :now, :now)"
                ),
                {"address": f"{name}@x.example", "now": now},
            )
    with scripted() as server:
        assert send_notes(database, lambda _: now, server.url, parse("ann@x.example")) == 2
    assert [b"ann@x.example" in mail for mail in server.messages] == [True]
    with database.transaction() as session:
        rows = session.execute(text("select address, state, left(error, 11) from deliveries order by address")).all()
    assert rows == [("ann@x.example", "delivered", None), ("eve@x.example", "failed", "not_allowed")]
