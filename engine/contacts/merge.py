"""Two records of one person become one: an anonymous visitor signs in, an address turns out to be a customer's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

PAIRS = "unnest(cast(:gone as bigint[]), cast(:kept as bigint[])) as pair(gone, kept)"

# Of two words of which one is a refusal, the refusal holds unless somebody has expressly agreed since. What a file
# said, or what was only implied, undoes none, as where it is written down (`engine.contacts.consent`).
UNDONE = """exists (
    select from consent_events e where e.contact_id = excluded.contact_id and e.channel = excluded.channel
        and e.topic = excluded.topic and e.action = 'subscribed' and e.source <> 'import'
        and coalesce(e.lawful_basis, 'consent') = 'consent' and e.occurred_at > case excluded.state
            when 'unsubscribed' then excluded.changed_at else consent_states.changed_at end)"""

# Before a campaign queues a batch it locks its wave: so it does not queue for a contact who goes at the same time.
LATE_WAVES = (
    """
    select 1 from campaign_waves w
    where not w.done and exists (select from campaign_contacts a
        where a.campaign_id = w.campaign_id and a.wave = w.wave and a.contact_id = any(:gone))
    order by w.campaign_id, w.wave for update""",
    # Whose turn is still to come, but not under the id that is kept, gets it in a wave of the same instant: each wave
    # has one for latecomers, at its number and LATE. The ledger's key makes it harmless to go through that again.
    f"""
    with late as (
        select t.campaign_id, t.wave, w.wave | :late as late, w.test, w.at, w.zone, pair.gone, pair.kept
        from {PAIRS} join campaign_contacts t on t.contact_id = pair.gone
        join campaign_waves w on w.campaign_id = t.campaign_id and w.wave = t.wave
        where not w.done and t.contact_id > w.cursor and pair.kept <= w.cursor and not exists (
            select from campaign_contacts o where o.campaign_id = t.campaign_id and o.contact_id = pair.kept)),
    fewer as (
        update campaign_waves w set contacts = w.contacts - l.people
        from (select campaign_id, wave, count(*) as people from late where wave <> late group by 1, 2) l
        where w.campaign_id = l.campaign_id and w.wave = l.wave),
    more as (
        insert into campaign_waves (campaign_id, wave, test, at, zone, cursor, contacts)
        select campaign_id, late, test, at, zone, min(kept) - 1, count(*) filter (where wave <> late)
        from late group by campaign_id, late, test, at, zone
        on conflict (campaign_id, wave) do update set cursor = least(campaign_waves.cursor, excluded.cursor),
            contacts = campaign_waves.contacts + excluded.contacts, done = false)
    update campaign_contacts t set contact_id = l.kept, wave = l.late from late l
    where t.campaign_id = l.campaign_id and t.wave = l.wave and t.contact_id = l.gone""",
)
LATE = 1 << 14

MOVES = (
    "select 1 from enrolments where contact_id = any(:gone) or contact_id = any(:kept) order by id for update",
    f"update contact_identities t set contact_id = pair.kept from {PAIRS} where t.contact_id = pair.gone",
    f"update events t set contact_id = pair.kept from {PAIRS} where t.contact_id = pair.gone",
    f"update event_inbox t set contact_id = pair.kept from {PAIRS} where t.contact_id = pair.gone",
    f"update change_inbox t set contact_id = pair.kept from {PAIRS} where t.contact_id = pair.gone",
    f"""
    update entry_inbox t set contact_id = pair.kept from {PAIRS} where t.contact_id = pair.gone and not exists (
        select from entry_inbox o where o.journey_id = t.journey_id and o.contact_id = pair.kept
            and o.message_id = t.message_id)""",
    "delete from entry_inbox where contact_id = any(:gone)",
    f"update consent_events t set contact_id = pair.kept from {PAIRS} where t.contact_id = pair.gone",
    f"""
    insert into consent_states (contact_id, channel, topic, state, changed_at, expires_at)
    select distinct on (pair.kept, channel, topic) pair.kept, channel, topic, state, changed_at, expires_at
    from {PAIRS} join consent_states t on t.contact_id = pair.gone
    order by pair.kept, channel, topic, changed_at desc
    on conflict (contact_id, channel, topic) do update
    set state = excluded.state, changed_at = excluded.changed_at, expires_at = excluded.expires_at
    where case
        when excluded.state = consent_states.state or 'unsubscribed' not in (excluded.state, consent_states.state)
            then excluded.changed_at > consent_states.changed_at
        else (excluded.state = 'unsubscribed') <> {UNDONE} end""",
    "delete from consent_states where contact_id = any(:gone)",
    f"""
    insert into consent_pauses (contact_id, channel, until)
    select pair.kept, channel, max(until) from {PAIRS} join consent_pauses t on t.contact_id = pair.gone group by 1, 2
    on conflict (contact_id, channel) do update set until = greatest(excluded.until, consent_pauses.until)""",
    "delete from consent_pauses where contact_id = any(:gone)",
    f"update leaving_reasons t set contact_id = pair.kept from {PAIRS} where t.contact_id = pair.gone",
    f"update consent_requests t set contact_id = pair.kept from {PAIRS} where t.contact_id = pair.gone",
    f"""
    update enrolments t set contact_id = pair.kept from {PAIRS}
    where t.contact_id = pair.gone and not exists (
        select from enrolments o where o.journey_id = t.journey_id and o.contact_id = pair.kept
        and (o.entry_key = t.entry_key or o.status = 'active'))""",
    """
    update enrolments set status = 'stopped', phase = null, wake_at = null, ended_at = :now, reason = 'merged',
        goal_until = null
    where contact_id = any(:gone) and status = 'active'""",
    *LATE_WAVES,
    f"""
    update messages t set contact_id = pair.kept from {PAIRS}
    where t.contact_id = pair.gone and not exists (
        select from messages o where o.origin_at = t.origin_at and o.campaign_id = t.campaign_id
            and o.contact_id = pair.kept)""",
    """
    with second as (
        update messages set state = 'cancelled', reason = 'merged', ended_at = :now
        where contact_id = any(:gone) and state = 'queued' returning step_id, channel)
    insert into message_rollups (journey_id, step_id, channel, day, undelivered)
    select 0, step_id, channel, cast(:now as date), count(*) from second group by step_id, channel order by 1, 2, 3
    on conflict (journey_id, step_id, channel, day)
        do update set undelivered = message_rollups.undelivered + excluded.undelivered""",
    f"""
    insert into contact_hours as h (contact_id, slot, messages)
    select pair.kept, slot, sum(messages) from {PAIRS} join contact_hours t on t.contact_id = pair.gone
    group by 1, 2 order by 1, 2
    on conflict (contact_id, slot) do update set messages = h.messages + excluded.messages""",
    "delete from contact_hours where contact_id = any(:gone)",
    f"""
    update campaign_contacts t set contact_id = pair.kept from {PAIRS}
    where t.contact_id = pair.gone and not exists (
        select from campaign_contacts o where o.campaign_id = t.campaign_id and o.contact_id = pair.kept)""",
    """
    update step_log t set contact_id = e.contact_id from enrolments e
    where t.enrolment_id = e.id and e.contact_id = any(:kept) and t.contact_id = any(:gone)""",
    f"update conversions t set contact_id = pair.kept from {PAIRS} where t.contact_id = pair.gone",
    """
    with ended as (
        update segment_memberships set left_at = :now where contact_id = any(:gone) and left_at is null
        returning segment_id),
    fewer as (select segment_id, count(*) as people from ended group by 1),
    held as (select id from segments where id in (select segment_id from fewer) order by id for no key update)
    update segments s set contact_count = s.contact_count - fewer.people
    from held join fewer on fewer.segment_id = held.id where s.id = held.id""",
    "delete from segment_expiries where contact_id = any(:gone)",
    f"""
    insert into list_memberships (list_id, contact_id, added_at)
    select t.list_id, pair.kept, min(t.added_at) from {PAIRS} join list_memberships t on t.contact_id = pair.gone
    where t.removed_at is null group by 1, 2
    on conflict (list_id, contact_id) where removed_at is null do nothing""",
    "update list_memberships set removed_at = :now where contact_id = any(:gone) and removed_at is null",
    f"""
    update contacts t set attributes = g.attributes || t.attributes, email = coalesce(t.email, g.email),
        phone = coalesce(t.phone, g.phone), timezone = coalesce(t.timezone, g.timezone),
        locale = coalesce(t.locale, g.locale), created_at = least(t.created_at, g.created_at), updated_at = :now
    from {PAIRS} join contacts g on g.id = pair.gone where t.id = pair.kept""",
    "delete from contacts where id = any(:gone)",
)


def merge(session: Session, pairs: Sequence[tuple[int, int]], now: dt.datetime) -> None:
    """Move everything of each (gone, kept) contact id pair to the second and delete the first.

    What the kept contact says wins. An entry into a journey that the kept contact is in or was in is stopped with the
    reason `merged`, and a second message of one campaign is cancelled; one that is still to come comes. Chains are
    allowed. The caller holds the lock of `engine.contacts.identify`.
    """
    for wave in _waves(pairs):
        values = {"gone": [gone for gone, _ in wave], "kept": [kept for _, kept in wave], "now": now, "late": LATE}
        for statement in MOVES:
            session.execute(text(statement), values)


def _waves(pairs: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Groups, to be done one after the other, in which nobody takes in two contacts or goes having taken one in."""
    waves: list[list[tuple[int, int]]] = []
    for gone, kept in pairs:
        touched = {kept, gone}
        last = max((i for i, wave in enumerate(waves) if touched & {c for pair in wave for c in pair}), default=-1)
        if last + 1 == len(waves):
            waves.append([])
        waves[last + 1].append((gone, kept))
    return waves
