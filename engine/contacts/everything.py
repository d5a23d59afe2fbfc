"""All that is stored about one person, as JSON (GDPR, articles 15 and 20)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.signing import Signer

MINE = "select id from messages where contact_id = :id"
OWN = "select to_jsonb(t) - 'contact_id'"
ENTRIES = "select id from enrolments where contact_id = :id"
ADDRESSES = text("select email, phone from contacts where id = :id")
PARTS = {
    "profile": "select to_jsonb(t) - 'id' from contacts t where t.id = :id",
    "identities": f"{OWN} from contact_identities t where contact_id = :id order by kind, value",
    "consent": f"{OWN} from consent_states t where contact_id = :id order by channel, topic",
    "consent_history": f"{OWN} from consent_events t where contact_id = :id order by t.id",
    "consent_requests": f"{OWN} from consent_requests t where contact_id = :id",
    "suppressions": """
        select jsonb_build_object('channel', channel, 'reason', reason, 'since', created_at)
        from suppressions where address_hmac = any(:hmacs) order by channel""",
    "reasons_for_leaving": f"{OWN} from leaving_reasons t where contact_id = :id order by t.at",
    "breaks": f"{OWN} from consent_pauses t where contact_id = :id",
    "events": f"{OWN} from events t where contact_id = :id order by occurred_at, received_at",
    "waiting_events": f"{OWN} from event_inbox t where contact_id = :id order by t.id",
    "waiting_entries": f"{OWN} from entry_inbox t where contact_id = :id order by t.id",
    "messages": """
        select (to_jsonb(t) - 'contact_id' - 'journal') || jsonb_build_object(
            'content', c.slug, 'content_version', v.number, 'content_source', v.source, 'journey', j.slug)
        from messages t left join contents c on c.id = t.content_id
        left join content_versions v on v.id = t.content_version_id left join journeys j on j.id = t.journey_id
        where t.contact_id = :id order by t.id""",
    "calls_that_sent": f"select to_jsonb(t) from direct_sends t where message_id in ({MINE}) order by t.message_id",
    "blocks": f"select to_jsonb(t) from message_blocks t where message_id in ({MINE}) order by t.message_id",
    "mail_copies": f"""
        select to_jsonb(t) - 'raw' || jsonb_build_object('raw', encode(t.raw, 'base64')) from local_messages t
        where message_token in (select token from messages where id in ({MINE})) order by t.id""",
    "incoming_texts": f"{OWN} from incoming_texts t where contact_id = :id order by t.id",
    "receipts": f"""
        select to_jsonb(t) - 'payload' - 'address_hmac' from receipts t where message_id in ({MINE}) order by t.id""",
    "hits": f"select to_jsonb(t) from hits t where message_id in ({MINE}) order by at",
    "hours": f"{OWN} from contact_hours t where contact_id = :id order by t.slot",
    "segments": """
        select jsonb_build_object('segment', s.slug, 'entered_at', t.entered_at, 'left_at', t.left_at)
        from segment_memberships t join segments s on s.id = t.segment_id where t.contact_id = :id
        order by t.entered_at""",
    "lists": """
        select jsonb_build_object('list', l.slug, 'added_at', t.added_at, 'removed_at', t.removed_at)
        from list_memberships t join lists l on l.id = t.list_id where t.contact_id = :id order by t.added_at""",
    "journeys": """
        select (to_jsonb(t) - 'contact_id') || jsonb_build_object('journey', j.slug)
        from enrolments t join journeys j on j.id = t.journey_id where t.contact_id = :id order by t.id""",
    "steps": f"{OWN} from step_log t where enrolment_id in ({ENTRIES}) order by t.id",
    "webhook_calls": f"select to_jsonb(t) from deliveries t where enrolment_id in ({ENTRIES}) order by t.id",
    "campaigns": f"{OWN} from campaign_contacts t where contact_id = :id",
    "conversions": f"{OWN} from conversions t where contact_id = :id order by t.id",
    "handled_by_hand": """
        select jsonb_build_object('at', a.at, 'action', a.action, 'detail', a.detail)
        from audit_log a join contacts c on a.object in ('contact ' || c.public_id, 'contact ' || c.id)
        where c.id = :id order by a.id""",
}
"""Under each name a statement that gives rows as JSON objects; our own numbers are left out."""


def collect(session: Session, contact_id: int, signer: Signer) -> dict[str, Any]:
    """Everything about the contact by kind: lists of objects, oldest first. Instants are ISO 8601 in UTC.

    A message that left no copy is rebuilt from `content_source` with the profile, and the event that began its journey.
    """
    held = session.execute(ADDRESSES, {"id": contact_id}).one()
    hmacs = [signer.address_hmac(*pair) for pair in (("email", held.email), ("sms", held.phone)) if pair[1]]
    values = {"id": contact_id, "hmacs": hmacs}
    return {name: session.execute(text(query), values).scalars().all() for name, query in PARTS.items()}
