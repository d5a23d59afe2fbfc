"""Judge stored hits again by the present rules: classes, first opens and clicks, events, counters and credit follow.

Journeys are not run again: who went on by a click that turns out to be a machine's has gone on.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.arrays import literal
from engine.attribution import convert
from engine.habits import store as habits
from engine.reports import rollup
from engine.tracking import facts, tallies
from engine.tracking.classify import VERSION
from engine.tracking.outcomes import CLICKED, OPENED, Outcome, TrackedMessage, judge
from engine.tracking.process import StoredRow, hit_of, locked

MESSAGES = 500

STALE = text("""
select distinct message_id, origin_at from hits
where message_id > :after and classification is not null and (:everything or classifier_version <> :version)
order by message_id limit :limit""")
READ = text("""
select h.message_id, h.id, h.at, h.kind, h.position, h.method, h.user_agent, h.headers, h.classification, h.rule,
    h.classifier_version
from hits h where h.message_id = any(cast(:ids as bigint[])) and h.classification is not null
order by h.message_id, h.at, h.id""")
KNOWN = text("""
select e.message_id from events e
where e.contact_id = any(cast(:contacts as bigint[])) and e.name in (:opened, :clicked)
    and e.message_id = any(cast(:ids as text[]))""")
FORGET = text("""
with gone as (
    delete from events e where e.contact_id = any(cast(:contacts as bigint[])) and e.name in (:opened, :clicked)
        and e.message_id = any(cast(:ids as text[]))
    returning e.message_id, e.contact_id, e.name, e.occurred_at, e.received_at),
keys as (delete from event_keys k using gone where k.message_id = gone.message_id)
insert into event_inbox (available_at, contact_id, name, occurred_at, received_at, message_id, properties, triggers)
select :now, contact_id, name, occurred_at, received_at, message_id, '{}', false from gone""")
FIRSTS = text("""
update messages m set first_open_at = firsts.opened, first_click_at = firsts.clicked
from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[]), cast(:opened as timestamptz[]),
    cast(:clicked as timestamptz[])) as firsts(id, origin_at, opened, clicked)
where m.id = firsts.id and m.origin_at = firsts.origin_at""")


class Rejudged(NamedTuple):
    """`after` is the last message looked at, None when there are no more. `moved`: hits by class before and after."""

    after: int | None
    messages: int
    moved: Counter[tuple[str, str]]


class _Again(NamedTuple):
    """A message as the ledger has it, what it amounts to now, and how its hits were counted."""

    message: TrackedMessage
    outcome: Outcome
    before: tuple[tallies.Key, ...]

    @property
    def changed(self) -> bool:
        """Whether a figure of the message moves."""
        first = (self.outcome.first_open_at, self.outcome.first_click_at)
        return first != (self.message.first_open_at, self.message.first_click_at)


def rejudge(
    session: Session, now: dt.datetime, *, after: int = 0, everything: bool = False, limit: int = MESSAGES
) -> Rejudged:
    """Judge the hits of at most `limit` messages again, from the message `after` on, in the order of their ids.

    Those that other rules judged; with `everything` all. The caller commits and calls again until `after` is None.
    """
    asked = {"after": after, "everything": everything, "version": VERSION, "limit": limit}
    stale = session.execute(STALE, asked).all()
    if not stale:
        return Rejudged(None, 0, Counter())
    again = _judge_again(session, stale)
    _write(session, again, now)
    counts = facts.tallied([one.outcome for one in again])
    counts.subtract(was for one in again for was in one.before)
    tallies.add(session, counts)
    pairs = (
        (was.classification, now_is)
        for one in again
        for was, now_is in zip(one.before, one.outcome.classes, strict=True)
    )
    return Rejudged(stale[-1].message_id, len(again), Counter(pair for pair in pairs if pair[0] != pair[1]))


def _judge_again(session: Session, stale: Sequence[StoredRow]) -> list[_Again]:
    # What was forgotten with a person is what the rules judge by: their hits keep the classes that they had.
    messages = {id_: message for id_, message in locked(session, stale).items() if not message.erased}
    rows: dict[int, list[StoredRow]] = {}
    for row in session.execute(READ, {"ids": literal(messages)}):
        rows.setdefault(row.message_id, []).append(row)
    return [
        _Again(
            messages[id_],
            judge(replace(messages[id_], first_open_at=None, first_click_at=None), [hit_of(row) for row in hits]),
            tuple(tallies.key(r.at, r.kind, r.classification, r.rule, r.classifier_version) for r in hits),
        )
        for id_, hits in rows.items()
    ]


def _write(session: Session, again: Sequence[_Again], now: dt.datetime) -> None:
    if not again:
        return
    facts.write_classes(session, [one.outcome for one in again])
    _write_events(session, again, now)
    changed = [one for one in again if one.changed]
    if not changed:
        return
    session.execute(
        FIRSTS,
        {
            "ids": literal([one.message.id for one in changed]),
            "origins": literal([one.message.origin_at for one in changed]),
            "opened": literal([one.outcome.first_open_at for one in changed]),
            "clicked": literal([one.outcome.first_click_at for one in changed]),
        },
    )
    rollup.messages(session, [facts.delta(one.message, _metrics(one), now) for one in changed])
    current = workspace.load(session)
    _credit_again(session, current, changed)
    habits.count(session, [habits.Moved(one.message.contact_id, *_firsts(one)) for one in changed], current.zone)


def _metrics(one: _Again) -> dict[str, int]:
    had, has = one.message, one.outcome
    return {
        "human_opens": int(has.first_open_at is not None) - int(had.first_open_at is not None),
        "human_clicks": int(has.first_click_at is not None) - int(had.first_click_at is not None),
    }


def _write_events(session: Session, again: Sequence[_Again], now: dt.datetime) -> None:
    """Events of hits that are a machine's now go, those of hits that are a person's now come, with their old times."""
    possible = [name for one in again for hit in one.outcome.hits for name in (f"hit-{hit.id}", f"hit-{hit.id}-open")]
    names = {"opened": OPENED, "clicked": CLICKED, "contacts": literal({one.message.contact_id for one in again})}
    known = set(session.execute(KNOWN, names | {"ids": literal(possible)}).scalars())
    wanted = {event.message_id: (one.message, event) for one in again for event in one.outcome.events}
    gone = sorted(known - wanted.keys())
    if gone:
        session.execute(FORGET, names | {"ids": literal(gone), "now": now})
    facts.record_events(session, [wanted[id_] for id_ in sorted(wanted.keys() - known)], now)


Firsts = tuple[dt.datetime | None, dt.datetime | None]


def _firsts(one: _Again) -> tuple[Firsts, Firsts]:
    """First open and first click, before and now."""
    had, has = one.message, one.outcome
    return (had.first_open_at, had.first_click_at), (has.first_open_at, has.first_click_at)


def _credit_again(session: Session, current: workspace.Workspace, changed: Sequence[_Again]) -> None:
    moments = [at for one in changed for at in _touches(one)]
    if moments:
        contacts = sorted({one.message.contact_id for one in changed})
        convert.recredit(session, current, contacts, min(moments))


def _touches(one: _Again) -> Iterable[dt.datetime]:
    return (at for firsts in _firsts(one) for at in firsts if at)
