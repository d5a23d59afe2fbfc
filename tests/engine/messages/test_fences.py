"""What comes between a claim's statements, and results that come too late."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from engine import workspace
from engine.channels.provider import Result
from engine.contacts import consent
from engine.contacts.consent import suppress
from engine.db import Database
from engine.messages.handed import Handed
from engine.messages.reaper import left_behind
from engine.messages.results import Finished, write_results
from tests.engine.messages.ledger import begin, fill, now, sender, signer, states
from tests.smtp import recording_server


def test_a_suppression_that_commits_just_before_the_locks_is_seen(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent, "signer", lambda: signer)
    with database.transaction() as session:
        fill(session, 1)
    pending = [True]

    def come_between(_: Any, __: Any, statement: str, *more: Any) -> None:
        if "for update of m skip locked" in statement and pending:
            pending.clear()
            with database.transaction() as other:
                suppress(other, "email", ["user0@example.com"], "manual", now)

    event.listen(database.engine, "before_cursor_execute", come_between)
    with recording_server() as server:
        alone = sender(tmp_path, server.url)
        alone.send(database)
        alone.close()
        assert server.accepted == {}
    assert pending == [] and states(database) == {"suppressed:suppressed": 1}


def test_the_result_of_an_earlier_try_changes_nothing_in_a_later_one(database: Database) -> None:
    with database.transaction() as session:
        fill(session, 1)
        begin(session, "second", attempt=2)
        [row] = session.execute(left_behind, {"journal": "second", "before": None, "flying": "{}"}).all()
        late = Handed(*row[:6], 1, row[7])
        for outcome in ("accepted", "retry", "failed", "unknown", "not_tried"):
            finished = [Finished(late, Result(late.id, outcome, 250, "", "late", "dot"))]  # type: ignore[arg-type]
            known = workspace.load(session)
            assert not write_results(session, finished, now, workspace=known, signer=signer).counts
    assert states(database) == {"sending": 1}
