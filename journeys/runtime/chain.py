"""Chains of entries that cause one another: no contact is passed on without end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from engine.db import driver, text_array
from journeys.decide import chain
from journeys.runtime.catalogue import Catalogue, Version
from journeys.runtime.step_log import Line, log

if TYPE_CHECKING:
    from journeys.runtime.enrol import Trigger

LENGTHS = f"""
with recursive chain as (
    select asked.message_id as start, asked.message_id collate "C", 0 as length
    from unnest(%(ids)s::text[]) as asked(message_id)
    union all
    select chain.start, e.trigger_message_id, chain.length + 1
    from chain join enrolments e on e.id = substring(chain.message_id from '{chain.PATTERN}')::bigint
    where e.entered_at > %(since)s and chain.length < {chain.MOST})
select start, e.version_id, e.id, e.contact_id
from chain join enrolments e on e.id = substring(start from '{chain.PATTERN}')::bigint where length = {chain.MOST}
"""


def not_too_long(
    session: Session, catalogue: Catalogue, wanted: Mapping[Version, Sequence[Trigger]], now: dt.datetime
) -> dict[Version, Sequence[Trigger]]:
    """Without those triggers that would prolong a chain that is too long; the entry that caused one says so."""
    caused = {one.message_id for triggers in wanted.values() for one in triggers if chain.cause(one.message_id)}
    if not caused:
        return dict(wanted)
    values = {"ids": text_array(sorted(caused)), "since": now - chain.SPAN}
    found = driver(session).execute(LENGTHS, values).fetchall()
    log(
        session,
        [
            Line(catalogue.version(session, version_id), id_, contact_id, "refused", chain.REASON)
            for _, version_id, id_, contact_id in found
        ],
        now,
    )
    refused = {message_id for message_id, *_ in found}
    return {version: [one for one in several if one.message_id not in refused] for version, several in wanted.items()}
