"""Writing what became of messages: their states, costs, suppressions and counters, in bulk."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.channels.provider import Result
from engine.contacts.changes import announce_accepted, announce_settled
from engine.messages.handed import Handed
from engine.messages.outcome import Change, change, kind_of
from engine.receipts.store import store
from engine.receipts.values import Receipt
from engine.reports import rollup
from engine.signing import Signer
from engine.workspace import Workspace

write = text("""
    update messages m
    set state = u.state, reason = u.reason, reply = coalesce(u.reply, m.reply),
        send_after = coalesce(u.send_after, m.send_after),
        attempts = case when u.untouched then greatest(m.attempts - 1, 0) else m.attempts end,
        claimed_at = case when u.state = 'queued' then null else m.claimed_at end,
        journal = case when u.state = 'queued' then null else m.journal end,
        accepted_at = case when u.state = 'accepted' then :now else m.accepted_at end,
        ended_at = case when u.state in ('failed', 'unknown') then :now end,
        cost = u.cost, links = cast(u.links as jsonb), untracked = u.untracked
    from unnest(cast(:ids as bigint[]), cast(:origins as timestamptz[]), cast(:attempts as bigint[]),
        cast(:states as text[]), cast(:reasons as text[]), cast(:replies as text[]), cast(:send_after as timestamptz[]),
        cast(:untouched as boolean[]), cast(:costs as numeric[]), cast(:links as text[]), cast(:untracked as boolean[]))
        as u(id, origin_at, attempt, state, reason, reply, send_after, untouched, cost, links, untracked)
    where m.id = u.id and m.origin_at = u.origin_at and m.state = 'sending' and m.attempts = u.attempt
    returning m.id, m.fallback
""")

suppress = text("""
    insert into suppressions (address_hmac, channel, reason, created_at)
    select distinct address_hmac, :channel, 'hard_bounce', cast(:now as timestamptz)
    from unnest(cast(:hmacs as bytea[])) as u(address_hmac)
    on conflict do nothing
""")


class Finished(NamedTuple):
    """A message with its result. `links` are this contact's dynamic destinations, `parts` what it is charged for;
    `untracked`: it has neither pixel nor tracked links."""

    handed: Handed
    result: Result
    links: Mapping[int, str] | None = None
    parts: int = 1
    untracked: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """How many messages took which state (`not_tried`: back in the queue as they were), and who was accepted."""

    counts: Counter[str]
    accepted: set[int]


def write_results(
    session: Session, finished: Sequence[Finished], now: dt.datetime, *, workspace: Workspace, signer: Signer
) -> Written:
    """Move messages from `sending` to what their results say.

    A message that is not in the try that the result speaks of any more is left alone and not counted.
    """
    changes = [change(each.handed, each.result, now) for each in finished]
    if not finished:
        return Written(Counter(), set())
    values = _values(finished, changes, workspace)
    written = {row[0]: row[1] for row in session.execute(write, values | {"now": now})}
    done = [pair for pair in zip(finished, changes, strict=True) if pair[0].handed.id in written]
    _suppress(session, [each.handed for each, changed in done if changed.suppress], now, signer)
    store(session, _refusals(done), now, signer)
    ended = [pair for pair in done if pair[1].state != "queued"]
    rollup.messages(session, _deltas(ended, now, workspace))
    accepted = [each.handed for each, changed in ended if changed.state == "accepted"]
    announce_settled(session, [(e.handed.id, e.handed.origin_at) for e, _ in ended if written[e.handed.id]], now)
    announce_accepted(session, [(handed.id, handed.origin_at) for handed in accepted], now)
    return Written(
        Counter("not_tried" if changed.untouched else changed.state for _, changed in done),
        {handed.id for handed in accepted},
    )


def _values(finished: Sequence[Finished], changes: list[Change], workspace: Workspace) -> dict[str, str]:
    pairs = list(zip(finished, changes, strict=True))
    return {
        "ids": literal([each.handed.id for each in finished]),
        "origins": literal([each.handed.origin_at for each in finished]),
        "attempts": literal([each.handed.attempt for each in finished]),
        "states": literal([changed.state for changed in changes]),
        "reasons": literal([_storable(changed.reason) for changed in changes]),
        "replies": literal([_storable(each.result.reply) or None for each in finished]),
        "send_after": literal([changed.send_after for changed in changes]),
        "untouched": literal([changed.untouched for changed in changes]),
        "costs": literal([_cost(each, workspace) if changed.state == "accepted" else None for each, changed in pairs]),
        "untracked": literal([_left_untracked(each, changed) or None for each, changed in pairs]),
        "links": literal([json.dumps(dict(each.links)) if each.links else None for each in finished]),
    }


def _left_untracked(each: Finished, changed: Change) -> bool:
    """Whether somebody may have got it without tracking: its opens and clicks are not known."""
    return each.untracked and changed.state in ("accepted", "unknown")


def _storable(words: str | None) -> str | None:
    """Servers may send anything; PostgreSQL takes no NUL."""
    return words.replace("\0", "")[:1000] if words else words


def _cost(each: Finished, workspace: Workspace) -> Decimal:
    return workspace.price(each.handed.channel, each.handed.recipient) * each.parts


def _deltas(
    ended: Sequence[tuple[Finished, Change]], now: dt.datetime, workspace: Workspace
) -> list[rollup.MessageDelta]:
    """What the counters grow by: one delta for the messages of a step, costs and ends that are alike."""
    by_number = bool(workspace.sms_prices)
    alike = Counter(
        (
            each.handed.journey_id or 0,
            each.handed.step_id or "",
            each.handed.channel,
            each.parts,
            changed.state,
            _left_untracked(each, changed),
            workspace.price("sms", each.handed.recipient) if by_number and each.handed.channel == "sms" else None,
        )
        for each, changed in ended
    )
    day = now.astimezone(dt.UTC).date()
    deltas = []
    for (journey_id, step_id, channel, parts, state, untracked, price), count in alike.items():
        metrics: dict[str, int | Decimal] = {"undelivered": count}
        if state == "accepted":
            metrics = {"sent": count, "cost": (workspace.price(channel) if price is None else price) * parts * count}
        if untracked:
            metrics["untracked"] = count
        deltas.append(rollup.MessageDelta(journey_id, step_id, channel, day, metrics))
    return deltas


def _refusals(done: list[tuple[Finished, Change]]) -> list[Receipt]:
    """What a server says at once counts for the address and the stream as what it says later."""
    return [
        Receipt(
            provider="smtp",
            provider_id=f"{each.handed.id}/{each.handed.attempt}",
            kind=kind,
            channel=each.handed.channel,
            message=(each.handed.id, each.handed.origin_at),
            status=each.result.enhanced or str(each.result.code),
            reason=each.result.text,
        )
        for each, changed in done
        if (kind := kind_of(changed, each.result)) is not None
    ]


def _suppress(session: Session, bounced: list[Handed], now: dt.datetime, signer: Signer) -> None:
    for channel in {each.channel for each in bounced}:
        hmacs = [signer.address_hmac(channel, each.recipient) for each in bounced if each.channel == channel]
        session.execute(suppress, {"channel": channel, "now": now, "hmacs": sorted(hmacs)})
