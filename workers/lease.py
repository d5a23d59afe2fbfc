"""Leadership as a row with an end and a fencing number, by the database's clock."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

ACQUIRE = text(
    """
    insert into leases as held (name, holder, fence, lease_until)
    values (:name, :holder, 1, clock_timestamp() + :duration)
    on conflict (name) do update set
        holder = excluded.holder,
        fence = held.fence + (held.holder <> excluded.holder)::int,
        lease_until = clock_timestamp() + :duration
    where held.holder = excluded.holder or held.lease_until < clock_timestamp()
    returning fence
    """
)
CHECK = (
    "select 1 from leases where name = :name and holder = :holder and fence = :fence "
    "and lease_until > clock_timestamp()"
)


class LeaseLost(Exception):
    """Somebody else leads by now, or may: the action must not take place."""


@dataclass(frozen=True)
class Lease:
    """A leadership as it was won; `fence` is larger than that of every holder before."""

    name: str
    holder: str
    fence: int


def acquire(session: Session, name: str, holder: str, duration: dt.timedelta) -> Lease | None:
    """Win or prolong the leadership `name`; None while somebody else holds it. `holder` names one process."""
    values = {"name": name, "holder": holder, "duration": duration}
    fence = session.execute(ACQUIRE, values).scalar()
    return Lease(name, holder, fence) if fence is not None else None


def check(session: Session, lease: Lease) -> None:
    """Raise LeaseLost if the lease is over."""
    if not _holds(session, lease, ""):
        raise LeaseLost(lease.name)


def guard(session: Session, lease: Lease, pause: dt.timedelta) -> None:
    """Make this transaction the leader's: nobody takes the lease over before it ends. Raises LeaseLost.

    A leader that stands still for `pause` in the transaction loses its connection, and with it the lock and whatever
    it had written, so that it cannot block its successor (`idle_in_transaction_session_timeout`).
    """
    milliseconds = int(pause.total_seconds() * 1000)
    session.execute(text(f"set local idle_in_transaction_session_timeout = {milliseconds}"))
    if not _holds(session, lease, " for share"):
        raise LeaseLost(lease.name)


def release(session: Session, lease: Lease) -> None:
    """Give the leadership up at once, so that a successor need not wait for its end."""
    values = {"name": lease.name, "fence": lease.fence}
    session.execute(text("update leases set lease_until = '-infinity' where name = :name and fence = :fence"), values)


def take_slot(session: Session, schedule: str, slot: dt.datetime, lease: Lease) -> bool:
    """Take the slot of a schedule; False if it has been taken before, by whomever."""
    row = session.execute(
        text(
            "insert into schedule_slots (schedule, slot, fence) values (:schedule, :slot, :fence) "
            "on conflict do nothing returning 1"
        ),
        {"schedule": schedule, "slot": slot, "fence": lease.fence},
    )
    return row.scalar() is not None


def _holds(session: Session, lease: Lease, lock: str) -> bool:
    values = {"name": lease.name, "holder": lease.holder, "fence": lease.fence}
    return session.execute(text(CHECK + lock), values).scalar() is not None
