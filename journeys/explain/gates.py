"""What the gate saw of a message: as it was kept, or for messages that it let through, as the ledger tells of then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.content import variants
from engine.messages import cap, gate
from engine.messages.limits import Limits
from engine.model import Campaign
from engine.signing import Signer
from engine.workspace import Workspace
from journeys.explain.values import Gate, MessageStory

LEFT = frozenset({"exited", "converted", "stopped", "failed", "completed"})
"""Reasons of messages that were cancelled because their entry ended."""
MESSAGES = """
select m.id, m.step_id, m.visit, m.channel, c.slug as content, m.state, m.reason, m.seen, m.queued_at, m.claimed_at,
    m.accepted_at, m.ended_at, m.attempts, m.reply, m.topic, m.cap, m.expires_at, m.contact_id,
    m.transactional, nullif(m.send_after, 'infinity') as send_after,
    coalesce(j.state, k.state) as journey_state,
    coalesce(m.recipient, case when m.channel = 'email' then p.email else p.phone end) as address,
    v.language as sent_in, c.variants, c.current_version_id, p.attributes -> 'language' as language, p.locale
from messages m join contents c on c.id = m.content_id join contacts p on p.id = m.contact_id
left join content_versions v on v.id = m.content_version_id
left join journeys j on j.id = m.journey_id left join campaigns k on k.id = m.campaign_id
where m.origin_at = :origin_at and """
OF_ENTRY = text(MESSAGES + "m.enrolment_id = :id order by m.id")
OF_CAMPAIGN = text(MESSAGES + "m.campaign_id = :id and m.contact_id = :contact_id")
CONSENT = text("""
select distinct on (topic) topic, case action when 'requested' then 'pending' else action end from consent_events
where contact_id = :contact_id and channel = :channel and topic in ('', :topic) and occurred_at <= :at
    and action in ('subscribed', 'unsubscribed', 'requested', 'expired')
order by topic, action = 'requested', occurred_at desc, id desc
""")
TOPIC = text("select default_state from topics where slug = :topic")
SUPPRESSED = text("""
select exists (select from suppressions where address_hmac = :hmac and channel = :channel and created_at <= :at)
""")
COUNT = text("""
select count(*) from messages m where contact_id = :contact_id and id <> :id and accepted_at > :since
    and (accepted_at < :at or (accepted_at = :at and id < :id))
    and (:of = '' or not transactional and (topic is null or topic <> all(:unlimited))
        and (:of in ('all', channel) or :of = 'topic:' || topic))
""")


def messages(
    session: Session, enrolment_id: int, origin_at: dt.datetime, workspace: Workspace, signer: Signer, now: dt.datetime
) -> tuple[MessageStory, ...]:
    """The messages of an entry, oldest first, each with the gate's questions."""
    rows = session.execute(OF_ENTRY, {"id": enrolment_id, "origin_at": origin_at}).all()
    return tuple(_message(session, row, workspace, signer, now) for row in rows)


def of_campaign(
    session: Session, campaign: Campaign, contact_id: int, workspace: Workspace, signer: Signer, now: dt.datetime
) -> MessageStory | None:
    """The message of a campaign to a contact, with the gate's questions; None if none was queued."""
    values = {"id": campaign.id, "origin_at": campaign.origin_at, "contact_id": contact_id}
    row = session.execute(OF_CAMPAIGN, values).first()
    return _message(session, row, workspace, signer, now) if row is not None else None


def _message(session: Session, row: Any, workspace: Workspace, signer: Signer, now: dt.datetime) -> MessageStory:
    waits = row.state == "queued"
    decided_at = None if waits else row.claimed_at or row.ended_at
    found = row.seen or gate.seen(_facts(session, row, workspace, signer, decided_at or now))
    return MessageStory(
        row.step_id, row.visit, row.channel, row.content, row.state, row.reason, row.queued_at, decided_at,
        row.accepted_at, row.attempts, row.reply, _gates(row, found), *_language(row),
    )  # fmt: skip


def _language(row: Any) -> tuple[str, str]:
    """The language of a message and why it has that, by what the contact says now."""
    if not row.variants:
        return row.sent_in or "", ""
    contact = {"language": row.language, "locale": row.locale}
    today = variants.chosen(contact, row.variants, row.current_version_id)
    if row.sent_in not in (None, today):
        return row.sent_in, f"at that time; now it would be {today}"
    return today, variants.why(contact, row.variants)


def _gates(row: Any, seen: dict[str, dict[str, Any]]) -> tuple[Gate, ...]:
    """The gates before the one that refused have let the message through, those after it were not asked."""
    if row.state == "queued":
        return tuple(Gate(name, "waiting", seen.get(name, {})) for name in gate.GATES)
    if row.state == "cancelled" and row.reason in LEFT:
        ended = Gate("exit", "refused", {"entry": row.reason})
        return tuple(ended if name == "exit" else Gate(name, "not asked", {}) for name in gate.GATES)
    refused = gate.REFUSED_BY.get(row.reason or "") if row.state in ("suppressed", "expired", "cancelled") else None
    return tuple(_judged(refused, seen))


def _judged(refused: str | None, seen: dict[str, dict[str, Any]]) -> Sequence[Gate]:
    at = gate.GATES.index(refused) if refused else len(gate.GATES)
    return [
        Gate(name, "passed" if place < at else "refused" if place == at else "not asked", seen.get(name, {}))
        for place, name in enumerate(gate.GATES)
    ]


def _facts(session: Session, row: Any, workspace: Workspace, signer: Signer, at: dt.datetime) -> gate.Facts:
    """What held at `at`: consent is a history, suppressions and accepted messages have their instant."""
    known = Limits.of(workspace)
    values = {
        "contact_id": row.contact_id,
        "unlimited": list(known.unlimited),
        "of": "",
        "channel": row.channel,
        "topic": row.topic or "",
        "at": at,
        "id": row.id,
    }
    said = {one[0]: one[1] for one in session.execute(CONSENT, values)}
    hmac = signer.address_hmac(row.channel, row.address) if row.address else None
    limit = cap.parse(row.cap)
    return gate.Facts(
        channel=row.channel,
        address=row.address,
        channel_state=said.get(""),
        topic_state=said.get(row.topic) if row.topic else None,
        topic_default=session.execute(TOPIC, values).scalar() if row.topic else None,
        suppressed=bool(hmac and session.execute(SUPPRESSED, values | {"hmac": hmac}).scalar()),
        needs_consent=row.channel == "sms" and workspace.sms_needs_consent,
        journey_state=row.journey_state if row.state == "queued" else "live",
        expires_at=row.expires_at,
        cap=limit,
        cap_count=session.execute(COUNT, values | {"since": limit.since(at)}).scalar_one() if limit else 0,
        transactional=row.transactional,
        limits=tuple(
            gate.Counted(of, one, session.execute(COUNT, values | {"of": of, "since": one.since(at)}).scalar_one())
            for of, one in known.caps_of(row)
        ),
        quiet=known.quiet_hours(row),
        quiet_until=row.send_after if row.state == "queued" and row.reason == "quiet" else None,
    )
