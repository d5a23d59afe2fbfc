"""What a claim and its results leave behind in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from engine.db import Database
from engine.messages.claim import claim, lock_due
from engine.messages.turn import is_due
from tests.engine.messages.ledger import fill, now, sender, signer
from tests.smtp import recording_server
from workers.due import DUE

CLAIMS = text("select count(*) from message_claims")
HOT = text("""
select coalesce(sum(n_tup_hot_upd), 0) from pg_stat_xact_user_tables
where relid in (select inhrelid from pg_inherits where inhparent = to_regclass('messages'))
""")
ACCEPT = text("""
update messages set state = 'accepted', reply = 'ok', accepted_at = now(), cost = 1 where state = 'sending'
""")


def test_a_claim_is_named_until_its_results_are_written(database: Database, tmp_path: Path) -> None:
    with database.transaction() as session:
        fill(session, 3)
        claim(session, "email", now, limit=3, journal="j", signer=signer, needs_consent=False)
        assert session.execute(CLAIMS).scalar() == 1
        session.rollback()
    with database.transaction() as session:
        fill(session, 3)
    with recording_server() as server:
        alone = sender(tmp_path, server.url)
        assert alone.send(database) == 3
        alone.close()
    with database.transaction() as session:
        assert session.execute(CLAIMS).scalar() == 0


def test_a_result_writes_into_no_index(database: Database) -> None:
    with database.transaction() as session:
        fill(session, 10)
        claim(session, "email", now, limit=10, journal="j", signer=signer, needs_consent=False)
    with database.transaction() as session:
        before = session.execute(HOT).scalar_one()
        session.execute(ACCEPT)
        assert session.execute(HOT).scalar_one() - before == 10


@pytest.mark.parametrize("statement", [lock_due.text, is_due.text, DUE["send"]], ids=["claim", "is due", "rings"])
def test_what_is_due_is_read_from_the_index_of_the_queue(database: Database, statement: str) -> None:
    with database.transaction() as session:
        fill(session, 1)
        for way in ("seqscan", "bitmapscan", "sort"):
            session.execute(text(f"set local enable_{way} = off"))
        values = {"channel": "email", "now": now, "limit": 10}
        rows = session.execute(text(f"explain {statement}"), values).scalars()
        assert "channel_send_after_id_idx" in "\n".join(rows)
