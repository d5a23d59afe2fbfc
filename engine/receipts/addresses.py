"""What receipts say of addresses: dead, worn out, or their owner complains."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.contacts.consent import SUPPRESS, ConsentChange, record_consent
from engine.receipts.concerned import Concerned
from engine.signing import Signer

MOST_SOFT = 5
SOFT_WITHIN = dt.timedelta(days=14)

# A sign of life begins the count anew: a delivery to the address, or a human open or click by its contact.
WORN_OUT = text("""
select u.position from unnest(cast(:hmacs as bytea[]), cast(:contacts as bigint[])) with ordinality
    as u(hmac, contact_id, position)
cross join lateral (
    select greatest(
        :since,
        (select max(r.occurred_at) from receipts r
         where r.address_hmac = u.hmac and r.kind = 'delivered' and r.occurred_at > :since),
        (select max(greatest(m.first_open_at, m.first_click_at)) from messages m where m.contact_id = u.contact_id
            and m.accepted_at > :since)) as at) life
where (select count(distinct r.message_id) from receipts r
       where r.address_hmac = u.hmac and r.kind = 'soft' and r.occurred_at > life.at) >= :most
""")


def dead(session: Session, messages: Sequence[Concerned], now: dt.datetime, signer: Signer) -> None:
    """Addresses that do not exist are never written to again."""
    _suppress(session, messages, "hard_bounce", now, signer)


def worn_out(session: Session, messages: Sequence[Concerned], now: dt.datetime, signer: Signer) -> None:
    """Five messages that failed for a while within 14 days, without a sign of life since the first: left alone too."""
    asked = [each for each in messages if each.recipient]
    if not asked:
        return
    values = {
        "hmacs": literal([signer.address_hmac(each.channel, each.recipient or "") for each in asked]),
        "contacts": literal([each.contact_id for each in asked]),
        "since": now - SOFT_WITHIN,
        "most": MOST_SOFT,
    }
    found = session.execute(WORN_OUT, values).scalars().all()
    _suppress(session, [asked[position - 1] for position in found], "soft_bounce", now, signer)


def complained(session: Session, messages: Sequence[Concerned], now: dt.datetime, signer: Signer) -> None:
    """Who complains is unsubscribed from the channel, and the address is suppressed on it."""
    _suppress(session, messages, "complaint", now, signer)
    about = {(each.contact_id, each.channel): each for each in messages}
    record_consent(session, [ConsentChange(*key, "unsubscribed", "complaint") for key in sorted(about)], now)


def _suppress(session: Session, messages: Sequence[Concerned], reason: str, now: dt.datetime, signer: Signer) -> None:
    by_channel: dict[str, set[bytes]] = defaultdict(set)
    for each in messages:
        if each.recipient:
            by_channel[each.channel].add(signer.address_hmac(each.channel, each.recipient))
    for channel in sorted(by_channel):
        values = {"addresses": sorted(by_channel[channel]), "channel": channel, "reason": reason, "now": now}
        session.execute(SUPPRESS, values)
