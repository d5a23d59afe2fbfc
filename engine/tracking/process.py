"""Hits become facts: classified together, once a message has been quiet for three seconds."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engine.tracking import facts, tallies
from engine.tracking.classify import RULES, VERSION, Seen
from engine.tracking.outcomes import Outcome, StoredHit, TrackedMessage, judge

QUIET = dt.timedelta(seconds=3)
OVERDUE = dt.timedelta(seconds=60)
MESSAGES = 2_000
HITS = 20_000

PENDING = text("""
select h.message_id, h.origin_at, m.id is null as gone
from (
  select message_id, origin_at, min(at) as first_at from hits where classification is null
  group by message_id, origin_at having max(at) <= :quiet or min(at) <= :overdue
) h
left join messages m on m.id = h.message_id and m.origin_at = h.origin_at
where m.id is null or m.accepted_at is not null or m.state not in ('queued', 'sending')
order by h.first_at, h.message_id
limit :messages""")

CLAIM = text("""
select m.id, m.origin_at, m.contact_id, m.token, m.channel, c.slug as content, m.content_version_id, m.links,
  m.journey_id, j.slug as journey, m.step_id as step, m.state, m.accepted_at, m.ended_at, m.first_open_at,
  m.first_click_at, p.erased_at is not null as erased
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[])) as wanted(id, origin_at)
join messages m on m.id = wanted.id and m.origin_at = wanted.origin_at
join contacts p on p.id = m.contact_id
left join contents c on c.id = m.content_id
left join journeys j on j.id = m.journey_id
order by m.id
for update of m skip locked""")

READ = text("""
select h.message_id, h.id, h.at, h.kind, h.position, h.method, h.user_agent, h.headers
from hits h
where h.message_id = any(:ids) and h.classification is null
order by h.message_id, h.at, h.id
limit :hits""")

# A mail may be opened years after its contact was forgotten: the hit counts, and says nothing of who made it.
FORGET = text("""
update hits set ip = null, user_agent = null, headers = null
where message_id = any(:ids) and num_nonnulls(ip, user_agent, headers) > 0""")

GONE = text("""
update hits set classification = :kind, rule = :rule, classifier_version = :version
where message_id = any(:ids) and classification is null returning at, kind""")


def process(session: Session, now: dt.datetime) -> dict[str, int]:
    """Classify what is ready and write what follows: first opens and clicks, events, counters.

    Returns counts: `messages`, `hits`, `events`, and one for each class. `messages` is 0 when nothing is ready; call
    again until then. Safe to run in several processes: the messages are claimed with SKIP LOCKED, and their hits are
    read by a second statement, which sees what an earlier claimant has committed.
    """
    ready = session.execute(PENDING, {"quiet": now - QUIET, "overdue": now - OVERDUE, "messages": MESSAGES}).all()
    counts: Counter[str] = Counter(messages=0, hits=0, events=0)
    gone = [row.message_id for row in ready if row.gone]
    if gone:
        _put_away(session, gone)
    outcomes = _judge_all(session, [row for row in ready if not row.gone])
    counts["messages"] = len(outcomes) + len(gone)
    for outcome in outcomes:
        counts.update(outcome.classes)
        counts["hits"] += len(outcome.classes)
        counts["events"] += len(outcome.events)
    facts.write(session, outcomes, now)
    if erased := [outcome.message.id for outcome in outcomes if outcome.message.erased]:
        session.execute(FORGET, {"ids": erased})
    return dict(counts)


def _put_away(session: Session, gone: Sequence[int]) -> None:
    """Of messages that are not there any more nothing can be said."""
    said = RULES["gone"]
    rows = session.execute(GONE, {"ids": gone, "version": VERSION} | said._asdict())
    tallies.add(session, Counter(tallies.key(at, kind, said.kind, said.rule, VERSION) for at, kind in rows))


StoredRow = Row[Any]


def locked(session: Session, wanted: Sequence[StoredRow]) -> dict[int, TrackedMessage]:
    """The messages of these rows, locked; those that another process holds are left out."""
    keys = {"ids": [row.message_id for row in wanted], "origins": [row.origin_at for row in wanted]}
    return {row.id: _message(row) for row in session.execute(CLAIM, keys)}


def _judge_all(session: Session, ready: Sequence[StoredRow]) -> list[Outcome]:
    if not ready:
        return []
    messages = locked(session, ready)
    rows = session.execute(READ, {"ids": list(messages), "hits": HITS}).all()
    groups = itertools.groupby(rows, key=lambda row: int(row.message_id))
    return [judge(messages[id_], [hit_of(row) for row in group]) for id_, group in groups]


def _message(row: Row[Any]) -> TrackedMessage:
    values = row._asdict()
    values["links"] = values["links"] or {}
    values["content"] = values["content"] or ""
    return TrackedMessage(**values)


def hit_of(row: StoredRow) -> StoredHit:
    """A stored hit."""
    return StoredHit(row.id, Seen(row.at, row.kind, row.position, row.method, row.user_agent, row.headers))
