"""Record conversions and give credit for them; rows keep the model and its version, so credit can be given again."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.attribution.credit import MODEL_VERSION, Touch, last_touch
from engine.reports import rollup
from engine.workspace import Workspace

MODEL = "last_touch"
MOST_MONEY = Decimal(10) ** 15


class NewConversion(NamedTuple):
    """kind is `goal` or `revenue`; a revenue conversion has no enrolment and no journey."""

    kind: str
    contact_id: int
    enrolment_id: int | None
    journey_id: int | None
    event_name: str
    event_message_id: str
    occurred_at: dt.datetime
    value: Decimal


INSERT = text("""
insert into conversions (kind, contact_id, enrolment_id, journey_id, event_name, event_message_id, occurred_at, value)
select * from unnest(cast(:kind as text[]), cast(:contact_id as bigint[]), cast(:enrolment_id as bigint[]),
    cast(:journey_id as bigint[]), cast(:event_name as text[]), cast(:event_message_id as text[]),
    cast(:occurred_at as timestamptz[]), cast(:value as numeric[]))
on conflict do nothing returning id
""")
# A message older than this gets no credit, however late it is clicked: the bound keeps the look-up to few rows.
TOUCHES = text("""
select c.id, c.occurred_at, c.value, m.id, m.origin_at, m.journey_id, m.step_id, m.channel, m.accepted_at,
       m.first_click_at, m.first_open_at
from conversions c join messages m on m.contact_id = c.contact_id
    and m.accepted_at between c.occurred_at - interval '90 days' and c.occurred_at
where c.id = any(:ids) and (c.kind = 'revenue' or m.journey_id = c.journey_id)
    and (m.first_click_at <= c.occurred_at or m.first_open_at <= c.occurred_at)
""")
REMOVE = text("""
with gone as (delete from credits where conversion_id = any(:ids) and model = :model returning *)
select m.journey_id, m.step_id, m.channel, m.accepted_at, gone.share, gone.value
from gone join messages m on m.id = gone.message_id and m.origin_at = gone.origin_at
""")
GIVE = text("""
insert into credits (conversion_id, model, message_id, origin_at, model_version, share, value)
values (:conversion_id, :model, :message_id, :origin_at, :model_version, :share, :value)
""")
LOCK = text("select id from contacts where id = any(:ids) order by id for no key update")
OWN_CREDIT = text("""
select c.id from conversions c where c.id = any(:ids) and (c.kind <> 'goal' or not exists (
    select from conversions earned where earned.kind = 'revenue' and earned.event_message_id = c.event_message_id))
order by c.id
""")
RECENT = text("""
select id from conversions where contact_id = any(:ids) and occurred_at >= :since
""")


def revenue(workspace: Workspace, name: str, properties: Mapping[str, Any]) -> Decimal | None:
    """What an event earned, or None when it is no revenue event or carries no amount."""
    for key in workspace.revenue_events.get(name, ()):
        if (amount := as_money(properties.get(key))) is not None:
            return amount
    return None


def as_money(value: Any) -> Decimal | None:
    """A JSON number below a quadrillion as money; anything else is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < MOST_MONEY else None


def record(session: Session, workspace: Workspace, conversions: Sequence[NewConversion]) -> None:
    """Store conversions and credit them. One event converts once a kind and entry, however often it is seen."""
    if not conversions:
        return
    columns = {name: [getattr(one, name) for one in conversions] for name in NewConversion._fields}
    assign(session, workspace, list(session.execute(INSERT, columns).scalars()))


def recredit(session: Session, workspace: Workspace, contact_ids: Sequence[int], since: dt.datetime) -> None:
    """Credit again what these contacts did at or after `since`: a touch became known after the conversion.

    The contacts are locked first, as whoever records a conversion of theirs locks them: of two who credit the same
    conversion the later sees what the earlier has done.
    """
    session.execute(LOCK, {"ids": sorted(set(contact_ids))})
    ids = list(session.execute(RECENT, {"ids": list(contact_ids), "since": since}).scalars())
    assign(session, workspace, ids)


def assign(session: Session, workspace: Workspace, conversion_ids: Sequence[int]) -> None:
    """Give the credit for conversions, replacing what was given. A goal met by a revenue event has none of its own:
    the money is credited once, with the revenue."""
    ids = list(session.execute(OWN_CREDIT, {"ids": list(conversion_ids)}).scalars())
    if not ids:
        return
    deltas = [_delta(row, -1) for row in session.execute(REMOVE, {"ids": ids, "model": MODEL}).all()]
    given, added = _shares(session, workspace, ids)
    if given:
        session.execute(GIVE, given)
    rollup.messages(session, deltas + added)


def _shares(
    session: Session, workspace: Workspace, ids: Sequence[int]
) -> tuple[list[dict[str, Any]], list[rollup.MessageDelta]]:
    windows = dt.timedelta(days=workspace.click_window_days), dt.timedelta(days=workspace.open_window_days)
    touched: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(TOUCHES, {"ids": list(ids)}).all():
        touched[row[0]].append(row)
    given, deltas = [], []
    for conversion_id, rows in touched.items():
        _, converted_at, value, *_ = rows[0]
        shares = last_touch([Touch((r[3], r[4]), r[9], r[10]) for r in rows], converted_at, *windows)
        for row in rows:
            share = shares.get((row[3], row[4]))
            if share:
                given.append(
                    {"conversion_id": conversion_id, "model": MODEL, "message_id": row[3], "origin_at": row[4]}
                    | {"model_version": MODEL_VERSION, "share": share, "value": share * value}
                )
                deltas.append(_delta((*row[5:9], share, share * value), 1))
    return given, deltas


def _delta(row: Any, sign: int) -> rollup.MessageDelta:
    journey_id, step_id, channel, accepted_at, share, value = row
    metrics = {"conversions": sign * share, "revenue": sign * value}
    return rollup.MessageDelta(journey_id or 0, step_id or "", channel, accepted_at.date(), metrics)
