"""Records that share an address: whoever reads its mail and leaves is not written to by the name of another record."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.contacts.consent import ConsentChange

ADDRESS = {"email": "lower(c.email) = lower(said.address)", "sms": "c.phone = said.address"}
PROOF = {"by": "another record with the same address"}


def _others(channel: str) -> str:
    return f"""
        select said.position, c.id from unnest(cast(:contacts as bigint[]), cast(:addresses as text[]),
            cast(:topics as text[])) with ordinality said(contact_id, address, topic, position)
        join contacts c on {ADDRESS[channel]} and c.id <> said.contact_id and c.erased_at is null
        where not exists (select from consent_states s where s.contact_id = c.id and s.channel = '{channel}'
            and s.topic in ('', said.topic) and s.state = 'unsubscribed')
        order by said.position, c.id"""


OTHERS = {channel: text(_others(channel)) for channel in ADDRESS}


def others_leaving(session: Session, said: Sequence[tuple[ConsentChange, str | None]]) -> list[ConsentChange]:
    """The refusals among what was said, each with the address that it was said for, as words of the other records.

    Records that have left already are left out. What is agreed to concerns one record alone.
    """
    found: dict[tuple[int, str, str], ConsentChange] = {}
    for channel, query in OTHERS.items():
        left = [
            (change, address) for change, address in said
            if address and change.channel == channel and change.action == "unsubscribed"
        ]  # fmt: skip
        if not left:
            continue
        values = {
            "contacts": literal(change.contact_id for change, _ in left),
            "addresses": literal(address for _, address in left if address),
            "topics": literal(change.topic for change, _ in left),
        }
        for position, contact_id in session.execute(query, values):
            change = left[position - 1][0]
            other = dataclasses.replace(change, contact_id=contact_id, proof=PROOF)
            found.setdefault((contact_id, channel, change.topic), other)
    return list(found.values())
