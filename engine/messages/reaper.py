"""Messages left in `sending` by a sender that died, settled by what its journal says.

A journal is read only with its lock, which a living sender holds, even a stopped one. No try: back to the queue. A
reply: recorded. A try alone, or no journal: `unknown`, and never sent again silently.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.arrays import literal
from engine.channels import journal
from engine.channels.journal import Known
from engine.channels.provider import Result
from engine.db import Database
from engine.messages.handed import Handed
from engine.messages.results import Finished, write_results
from engine.signing import Signer

Clock = Callable[[Session], dt.datetime]
keep_seconds = 600
foreign_patience = dt.timedelta(hours=24)

left_behind = text("""
    with ended as (
        delete from message_claims
        where journal is not distinct from cast(:journal as text)
          and claimed_at <= coalesce(cast(:before as timestamptz), claimed_at)
          and id <> all(cast(:flying as bigint[]))
        returning ids, origins
    )
    select m.id, m.origin_at, m.journey_id, m.step_id, m.channel, coalesce(m.recipient, ''), m.attempts, m.queued_at
    from ended cross join lateral unnest(ended.ids, ended.origins) as u(id, origin_at)
    join messages m on m.id = u.id and m.origin_at = u.origin_at and m.state = 'sending'
    order by m.id for update of m
""")
journals_named = text("select distinct journal from message_claims")


def settle(
    session: Session,
    name: str | None,
    known: Known,
    now: dt.datetime,
    signer: Signer,
    before: dt.datetime | None = None,
    flying: Iterable[int] = (),
) -> Counter[str]:
    """Write what a journal knows about the messages still in `sending` under its name, claimed by `before`.

    The claims in `flying` are left alone: they are still on their way.
    """
    rows = session.execute(left_behind, {"journal": name, "before": before, "flying": literal(flying)})
    handed = [Handed(*row) for row in rows]
    finished = [_finished(each, known) for each in handed]
    return write_results(session, finished, now, workspace=workspace.load(session), signer=signer).counts


def _finished(handed: Handed, known: Known) -> Finished:
    tried = known.tries.get((handed.id, handed.attempt))
    result = result_for(handed, known)
    return Finished(handed, result, tried.links, tried.parts, tried.untracked) if tried else Finished(handed, result)


def result_for(handed: Handed, known: Known) -> Result:
    """The result of a try as far as the journal tells it."""
    key = (handed.id, handed.attempt)
    if key not in known.entries and known.whole:
        return Result(handed.id, "not_tried")
    return known.entries.get(key) or Result(handed.id, "unknown", text="the sender ended before the reply", stage="dot")


def reap(database: Database, folder: Path, clock: Clock, signer: Signer) -> Counter[str]:
    """Settle what dead senders left, each journal in a transaction of its own. Counts by new state."""
    counts: Counter[str] = Counter()
    prefix = journal.home_id(folder) + "-"
    for path in sorted(folder.glob(prefix + "*")):
        counts += _reap_journal(database, path, clock, signer)
    with database.transaction() as session:
        now = clock(session)
        for name in session.execute(journals_named).scalars().all():
            ours = name is None or name.startswith(prefix)
            if name is None or not (folder / name).exists():
                before = None if ours else now - foreign_patience
                counts += settle(session, name, Known({}, whole=False), now, signer, before)
    return counts


def _reap_journal(database: Database, path: Path, clock: Clock, signer: Signer) -> Counter[str]:
    file = journal.take_over(path)
    if file is None:
        return Counter()
    try:
        with database.transaction() as session:
            counts = settle(session, path.name, journal.read(path), clock(session), signer)
        # A commit that the dead sender began may still be on its way, so the file stays for a while.
        if time.time() - path.stat().st_mtime > keep_seconds:
            path.unlink()
        return counts
    finally:
        os.close(file)
