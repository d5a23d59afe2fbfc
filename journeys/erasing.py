"""A person asks to be forgotten (GDPR, article 17): the ledger keeps its numbers and loses the person.

Messages, step log, hits and conversions stay, pseudonymous, so that counters still equal a recount; profile, names,
properties of events, copies of mail and everything else that tells who it was goes. Their addresses stay as HMACs: a
later contact with one, such as of an old file, is new and cannot be reached, until its owner signs up again.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.model import AuditLog, new_public_id
from engine.reports import rollup
from engine.signing import Signer
from journeys.runtime.catalogue import Catalogue
from journeys.runtime.leave import Ending, end

BATCH = 500
LATE = dt.timedelta(days=10)
"""How long after an erasure what was on its way may still bring something in."""

NAMED = text("""
select id from contacts where erased_at is null and (external_id = any(:names) or lower(email) = any(:lower)
    or phone = any(:names) or public_id = any(:names)) order by id""")
LOCK = text("""
select id, email, phone, public_id from contacts where id = any(:ids) and erased_at is null order by id for update""")
INSIDE = text("""
select version_id, id from enrolments where contact_id = any(:ids) and status in ('active', 'held_out')
order by id for update""")
CANCEL = text("""
update messages set state = 'cancelled', reason = 'erased', ended_at = :now
where contact_id = any(:ids) and state = 'queued' returning journey_id, step_id, channel""")
LEFT = text("""
select contact_id, channel from consent_states
where contact_id = any(:ids) and topic = '' and state = 'unsubscribed' and channel in ('email', 'sms')""")
SUPPRESS = text("""
insert into suppressions (address_hmac, channel, reason, created_at)
select hmac, channel, 'unsubscribed', :now
from unnest(cast(:hmacs as bytea[]), cast(:channels as text[])) as left_(hmac, channel) order by hmac
on conflict do nothing""")
EMPTY = text("""
update contacts set email = null, phone = null, timezone = null, locale = null, external_id = null, attributes = '{}',
    public_id = u.public_id, updated_at = :now, erased_at = :now
from unnest(cast(:ids as bigint[]), cast(:fresh as text[])) as u(id, public_id) where contacts.id = u.id""")
TEXTS = text("delete from incoming_texts where contact_id = any(:ids) or sender = any(:phones)")
PIECES = text("delete from text_parts where sender = any(:phones)")
COPIES = text("delete from local_messages where lower(recipient) = any(:addresses)")
MAILS = text("""
delete from receipt_mails m where m.error is not null and exists (
    select from unnest(cast(:emails as text[])) as erased(email)
    where email = any(m.recipients) or position(email in lower(encode(m.raw, 'escape'))) > 0)""")
RECEIPTS = text("""
update receipts set recipient = null, reason = '', payload = null
where address_hmac = any(:hmacs) and message_id is null and settled_at is not null""")
OTHERS = text("""
select lower(email) from contacts where lower(email) = any(:lower) and id <> all(:ids) and erased_at is null
union all select phone from contacts where phone = any(:lower) and id <> all(:ids) and erased_at is null""")

MINE = "select id from messages where contact_id = any(:ids)"
ENTRIES = "select id from enrolments where contact_id = any(:ids)"
FORGET = tuple(
    text(statement)
    for statement in (
        "delete from contact_identities where contact_id = any(:ids)",
        "delete from event_inbox where contact_id = any(:ids)",
        "delete from change_inbox where contact_id = any(:ids)",
        "delete from entry_inbox where contact_id = any(:ids)",
        "delete from consent_states where contact_id = any(:ids)",
        "delete from consent_pauses where contact_id = any(:ids)",
        "delete from consent_requests where contact_id = any(:ids)",
        "update leaving_reasons set words = '' where contact_id = any(:ids)",
        "delete from segment_expiries where contact_id = any(:ids)",
        "delete from list_memberships where contact_id = any(:ids)",
        """
        with ended as (
            delete from segment_memberships where contact_id = any(:ids) returning segment_id, left_at),
        fewer as (select segment_id, count(*) as people from ended where left_at is null group by 1),
        held as (select id from segments where id in (select segment_id from fewer) order by id for no key update)
        update segments s set contact_count = s.contact_count - fewer.people
        from held join fewer on fewer.segment_id = held.id where s.id = held.id""",
        """
        update enrolments set trigger_event = '{}', trigger_message_id = '', entry_key = 'erased ' || id,
            goal_until = null
        where contact_id = any(:ids)""",
    )
)
# Asked again for days, so each leaves alone what it has scrubbed.
SCRUB = tuple(
    text(statement)
    for statement in (
        "delete from contact_hours where contact_id = any(:ids)",
        """
        update consent_events set ip = null, user_agent = null, proof = null
        where contact_id = any(:ids) and num_nonnulls(ip, user_agent, proof) > 0""",
        # What tracking tells of a message is what its counters are recounted from; where a link led and what a server
        # said of an address may name a person.
        """
        update events set context = null,
            properties = case source when 'tracking' then properties - '{link,reason}'::text[] else '{}' end
        where contact_id = any(:ids) and (context is not null or
            case source when 'tracking' then properties ?| '{link,reason}'::text[] else properties <> '{}' end)""",
        f"update step_log set detail = null where enrolment_id in ({ENTRIES}) and detail is not null",
        f"""
        update deliveries set payload = '{{}}', error = null,
            state = case state when 'pending' then 'failed' else state end, ended_at = coalesce(ended_at, :now)
        where enrolment_id in ({ENTRIES}) and state <> 'sending'
            and (payload <> '{{}}' or error is not null or state = 'pending')""",
        f"delete from local_messages where message_token in (select token from messages where id in ({MINE}))",
        f"delete from message_blocks where message_id in ({MINE})",
        f"""
        update direct_sends set event = '{{}}', fingerprint = null, key = 'erased ' || message_id
        where message_id in ({MINE}) and event <> '{{}}'""",
        f"""
        update receipts set recipient = null, reason = '', payload = null
        where message_id in ({MINE}) and settled_at is not null
            and (reason <> '' or num_nonnulls(recipient, payload) > 0)""",
        """
        update hits h set ip = null, user_agent = null, headers = null from messages m
        where m.contact_id = any(:ids) and h.message_id = m.id and h.origin_at = m.origin_at
            and num_nonnulls(h.ip, h.user_agent, h.headers) > 0""",
        """
        update messages set recipient = null, links = null, reply = null, seen = null
        where contact_id = any(:ids) and state not in ('queued', 'sending')
            and num_nonnulls(recipient, links, reply, seen) > 0""",
    )
)


class Erased(NamedTuple):
    """Whom an erasure found, and their addresses, for what lies outside the database."""

    ids: list[int]
    addresses: list[str]


def named(session: Session, names: Sequence[str]) -> list[int]:
    """Ids of every contact with one of these external ids, email addresses, phone numbers or ids on pages."""
    given = [name.replace("\0", "").strip() for name in names]
    return list(session.scalars(NAMED, {"names": given, "lower": [name.lower() for name in given]}))


def erase(
    session: Session, catalogue: Catalogue, ids: Sequence[int], now: dt.datetime, signer: Signer, actor: str
) -> Erased:
    """Forget contacts; those who are erased already are left alone. At most BATCH in a transaction.

    What waits to be sent to them is cancelled. What is being sent ends as it would, and is scrubbed by `scrub_late`.
    """
    people = session.execute(LOCK, {"ids": list(ids)}).all()
    if not people:
        return Erased([], [])
    held = [person.id for person in people]
    _leave(session, catalogue, held, now)
    _keep_unreachable(session, people, now, signer)
    values = {"ids": held, "now": now}
    session.execute(EMPTY, values | {"fresh": [new_public_id() for _ in held]})
    for statement in (*FORGET, *SCRUB):  # only of who is erased does the history of consent let anything go
        session.execute(statement, values)
    _scrub_addresses(session, people, signer)
    # An id alone names nobody any more, and shows that the wish was met.
    session.add_all(AuditLog(actor=actor, action="erased", object=f"contact {id_}", at=now) for id_ in held)
    session.flush()
    return Erased(held, [address for person in people for address in (person.email, person.phone) if address])


def scrub_late(session: Session, now: dt.datetime) -> None:
    """Once more for those who were erased within the last days: mail that was under way has ended, or was opened."""
    ids = list(session.scalars(text("select id from contacts where erased_at > :since"), {"since": now - LATE}))
    for start in range(0, len(ids), BATCH):
        for statement in SCRUB:
            session.execute(statement, {"ids": ids[start : start + BATCH], "now": now})


def _leave(session: Session, catalogue: Catalogue, ids: list[int], now: dt.datetime) -> None:
    """End their entries and cancel every message that still waits, with what is counted of both."""
    inside: dict[int, list[int]] = defaultdict(list)
    for version_id, enrolment_id in session.execute(INSIDE, {"ids": ids}):
        inside[version_id].append(enrolment_id)
    versions = {id_: catalogue.version(session, id_) for id_ in inside}
    end(session, [Ending(versions[id_], found, "stopped", "erased") for id_, found in inside.items()], now)
    day, lost = now.astimezone(dt.UTC).date(), {"undelivered": 1}
    cancelled = session.execute(CANCEL, {"ids": ids, "now": now}).all()
    rollup.messages(
        session,
        [rollup.MessageDelta(journey or 0, step or "", channel, day, lost) for journey, step, channel in cancelled],
    )


def _keep_unreachable(session: Session, people: Sequence[Any], now: dt.datetime, signer: Signer) -> None:
    """Whoever was erased is reached again only after signing up anew, whatever a file brings back.

    An address that somebody else has too is left to them, unless the erased person had refused.
    """
    ids = [person.id for person in people]
    addresses = {
        (person.id, channel): address
        for person in people
        for channel, address in (("email", person.email), ("sms", person.phone))
        if address
    }
    refused = {(row.contact_id, row.channel) for row in session.execute(LEFT, {"ids": ids})}
    held = {"ids": ids, "lower": [address.lower() for address in addresses.values()]}
    others = set(session.scalars(OTHERS, held))
    known = {
        (signer.address_hmac(channel, address), channel)
        for (id_, channel), address in addresses.items()
        if (id_, channel) in refused or address.lower() not in others
    }
    values = {"hmacs": [hmac for hmac, _ in known], "channels": [channel for _, channel in known], "now": now}
    session.execute(SUPPRESS, values)


def _scrub_addresses(session: Session, people: Sequence[Any], signer: Signer) -> None:
    """What names an address but no message of ours: mail that came back and could not be read, texts."""
    phones = [person.phone for person in people if person.phone]
    emails = [person.email for person in people if person.email]
    session.execute(TEXTS, {"ids": [person.id for person in people], "phones": phones})
    session.execute(PIECES, {"phones": phones})
    session.execute(COPIES, {"addresses": [address.lower() for address in (*emails, *phones)]})
    session.execute(MAILS, {"emails": [email.lower() for email in emails]})
    hmacs = [signer.address_hmac("email", email) for email in emails]
    session.execute(RECEIPTS, {"hmacs": [*hmacs, *(signer.address_hmac("sms", phone) for phone in phones)]})
