"""Queueing the messages of a frozen campaign, a batch at a time, each batch where the last one's cursor stands.

Batch and cursor are one commit, and the ledger's key takes a contact once, so whoever dies in between has done nothing
or all of it. The next batch follows when sending has come near the end of the last one: a campaign never has more than
some seconds' work in the queue, so journeys and small campaigns do not wait behind a large one, and pausing or
cancelling it touches few rows.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.campaigns import schedule
from engine.campaigns.definition import HOLDOUT, REST, Definition
from engine.model import Campaign

BATCH = 20_000
AHEAD = dt.timedelta(minutes=5)
"""How far ahead of the clock a throttled campaign is queued."""
SOON = dt.timedelta(seconds=1)

WAVE = text("""
select wave, at from campaign_waves where campaign_id = :id and not done and (test or cast(:winner as text) is not null)
order by not test, at, wave limit 1 for update
""")
# A contact that was merged into another one since the freeze is not there any more, and gets nothing. The bounds of the
# ids tell the planner to read that part of the contacts only.
QUEUE = text("""
with picked as materialized (
    select a.contact_id, a.arm from campaign_contacts a
    where a.campaign_id = :id and a.wave = :wave and a.contact_id > (
        select cursor from campaign_waves where campaign_id = :id and wave = :wave)
    order by a.contact_id limit :limit),
numbered as (
    select p.contact_id, case when p.arm = :rest then :winner else p.arm end as arm,
        row_number() over (order by p.contact_id) - 1 as place
    from picked p join contacts c on c.id = p.contact_id and c.erased_at is null
        and c.id between (select min(contact_id) from picked) and (select max(contact_id) from picked)
    where p.arm <> :holdout),
queued as (
    insert into messages (origin_at, step_id, campaign_id, contact_id, content_id, channel, topic, cap, queued_at,
        send_after, expires_at, sender)
    select cast(:origin_at as timestamptz), :prefix || n.arm, :id, n.contact_id, m.content_id, :channel, :topic, :cap,
        cast(:now as timestamptz), cast(:first as timestamptz) + n.place * cast(:spacing as interval),
        cast(:expires_at as timestamptz), cast(:sender as text)
    from numbered n join campaign_arms m on m.campaign_id = :id and m.arm = n.arm order by n.place
    on conflict do nothing returning send_after),
moved as (
    update campaign_waves w set cursor = coalesce((select max(contact_id) from picked), w.cursor),
        done = (select count(*) from picked) < :limit
    where w.campaign_id = :id and w.wave = :wave)
select (select count(*) from picked), (select count(*) from queued), (select max(send_after) from queued)
""")
# What the queue of a channel has come to: messages stand in it in the order of `send_after`.
FRONT = text("""
select min(send_after) from messages
where channel = :channel and state = 'queued' and claimed_at is null and ended_at is null and send_after <= :now
""")


def feed(session: Session, campaign: Campaign, definition: Definition, now: dt.datetime) -> dt.datetime | None:
    """Queue the next batch if it is time. Returns when to look again; None when all that can be is queued.

    The caller has locked the campaign, which is frozen and `sending`.
    """
    wave = session.execute(WAVE, {"id": campaign.id, "winner": campaign.winner}).first()
    if wave is None:
        return None
    front = session.execute(FRONT, {"channel": campaign.channel, "now": now}).scalar()
    if (wait := due(campaign, definition, wave.at, front, now)) is not None:
        return wait
    _queue(session, campaign, definition, wave, now)
    return now


def due(
    campaign: Campaign, definition: Definition, at: dt.datetime, front: dt.datetime | None, now: dt.datetime
) -> dt.datetime | None:
    """None when the next batch is to be queued now, else when to ask again."""
    if at > now:
        return at
    tail = campaign.tail_at
    if tail is None:
        return None
    if definition.throttle:
        return tail - AHEAD if tail - AHEAD > now else None
    return now + SOON if front is not None and front < tail - BATCH // 2 * schedule.CLOSEST else None


def _queue(session: Session, campaign: Campaign, definition: Definition, wave: Any, now: dt.datetime) -> None:
    """The batch stands behind what the queue holds, and its first message keeps its distance from the last one's."""
    apart = schedule.spacing(definition)
    first = max(now, campaign.tail_at + apart) if campaign.tail_at is not None else now
    values = {
        "id": campaign.id,
        "wave": wave.wave,
        "limit": BATCH,
        "rest": REST,
        "holdout": HOLDOUT,
        "winner": campaign.winner,
        "origin_at": campaign.origin_at,
        "prefix": step_of(campaign.id, ""),
        "channel": campaign.channel,
        "topic": definition.topic or None,
        "sender": definition.sender or None,
        "cap": definition.cap or None,
        "now": now,
        "first": first,
        "spacing": apart,
        "expires_at": wave.at + definition.expires if definition.expires else None,
    }
    _, queued, tail = session.execute(QUEUE, values).one()
    campaign.message_count += queued
    campaign.tail_at = tail or campaign.tail_at


def step_of(campaign_id: int, arm: str) -> str:
    """What the ledger and its counters call a variant of a campaign; they have journey 0 for all campaigns."""
    return f"{campaign_id}:{arm}"
