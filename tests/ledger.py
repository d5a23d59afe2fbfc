"""Counters against a recount of the rows that they count (I4)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

MESSAGE_COUNTS = """
with counted as (
    select coalesce(m.journey_id, 0) as journey_id, coalesce(m.step_id, '') as step_id, m.channel,
        (coalesce(m.accepted_at, m.ended_at))::date as day,
        (m.accepted_at is not null)::int as sent,
        (m.accepted_at is null and m.state in ('suppressed', 'expired', 'cancelled', 'failed', 'unknown'))::int
            as undelivered,
        (select count(*) from hits h where h.message_id = m.id and h.kind = 'open' and h.classification is not null)
            as raw_opens,
        (m.first_open_at is not null)::int as human_opens,
        (select count(*) from hits h where h.message_id = m.id and h.kind = 'click' and h.classification is not null)
            as raw_clicks,
        (m.first_click_at is not null)::int as human_clicks,
        (select count(*) from events u where u.contact_id = m.contact_id and u.name = 'Unsubscribed'
            and u.properties ->> 'message' = m.token) as unsubscribes,
        (m.delivered_at is not null)::int as delivered, (m.state = 'bounced')::int as bounced,
        (m.state = 'complained')::int as complained, coalesce(m.untracked, false)::int as untracked,
        (select coalesce(sum(c.share), 0) from credits c where c.message_id = m.id) as conversions,
        (select coalesce(sum(c.value), 0) from credits c where c.message_id = m.id) as revenue,
        coalesce(m.cost, 0) as cost
    from messages m where m.accepted_at is not null or m.ended_at is not null)
select journey_id, step_id, channel, day, sum(sent)::int, sum(undelivered)::int, sum(raw_opens)::int,
    sum(human_opens)::int, sum(raw_clicks)::int, sum(human_clicks)::int, sum(unsubscribes)::int,
    sum(delivered)::int, sum(bounced)::int, sum(complained)::int, sum(untracked)::int, sum(conversions),
    sum(revenue), sum(cost)
from counted group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""
MESSAGE_ROLLUPS = """
select journey_id, step_id, channel, day, sent, undelivered, raw_opens, human_opens, raw_clicks, human_clicks,
    unsubscribes, delivered, bounced,
    complained, untracked, conversions, revenue, cost
from message_rollups order by 1, 2, 3, 4
"""
STEP_COUNTS = """
select v.journey_id, l.step_id, l.outcome, l.at::date, count(*)::int
from step_log l join journey_versions v on v.id = l.version_id group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""
STEP_ROLLUPS = "select journey_id, step_id, outcome, day, count from step_rollups where count <> 0 order by 1, 2, 3, 4"
ENTRY_COUNTS = """
with entry as (
    select e.*, row_number() over (partition by journey_id, contact_id order by id) = 1 as first,
        (select sum(c.value) from conversions c where c.enrolment_id = e.id and c.kind = 'goal') as worth
    from enrolments e),
place as (
    select id, '' as split_id, case when held_out then 'holdout' else '' end as arm from entry
    union all select id, key, value from entry, jsonb_each_text(arms))
select e.journey_id, p.split_id, p.arm, e.entered_at::date, count(*)::int, count(e.goal_at)::int,
    count(*) filter (where e.first)::int, count(e.goal_at) filter (where e.first)::int,
    coalesce(sum(e.worth) filter (where e.first), 0), coalesce(sum(e.worth ^ 2) filter (where e.first), 0)
from entry e join place p on p.id = e.id group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""
ENTRY_ROLLUPS = """
select journey_id, split_id, arm, day, entries, goals, contacts, conversions, value, value_squared
from entry_rollups order by 1, 2, 3, 4
"""
HIT_COUNTS = """
select (at at time zone 'UTC')::date, kind, classification, coalesce(rule, ''), coalesce(classifier_version, 0)::int,
    count(*)::int from hits where classification is not null group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
"""
HIT_ROLLUPS = """
select day, kind, classification, rule, version::int, hits from hit_rollups where hits <> 0 order by 1, 2, 3, 4, 5
"""
WITHHELD_COUNTS = """
select coalesce(journey_id, 0), coalesce(step_id, ''), channel, (ended_at at time zone 'UTC')::date, reason,
    count(*)::int from messages where state in ('suppressed', 'expired') and ended_at is not null and reason is not null
group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
"""
WITHHELD_ROLLUPS = "select journey_id, step_id, channel, day, reason, messages from withheld_rollups order by 1,2,3,4,5"
ASLEEP = "select id from enrolments where status = 'active' and (wake_at is null or phase is null)"


def assert_counters_equal_ledger(session: Session) -> None:
    """All counters equal a recount, and every active entry has an instant to wake at (I2)."""
    pairs = [
        (MESSAGE_ROLLUPS, MESSAGE_COUNTS),
        (STEP_ROLLUPS, STEP_COUNTS),
        (ENTRY_ROLLUPS, ENTRY_COUNTS),
        (HIT_ROLLUPS, HIT_COUNTS),
        (WITHHELD_ROLLUPS, WITHHELD_COUNTS),
    ]
    for rollup, recount in pairs:
        assert _rows(session, rollup) == _rows(session, recount)
    assert _rows(session, ASLEEP) == []


def _rows(session: Session, query: str) -> list[tuple[Any, ...]]:
    """Rows whose counters are all zero say the same as no row."""
    rows = [tuple(row) for row in session.execute(text(query)).all()]
    return [row for row in rows if any(row[4:])]
