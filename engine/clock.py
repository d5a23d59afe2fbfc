"""The edges' clock. Everything inside takes `now` as an argument."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.errors import InvalidInput

Reading = dt.datetime | Callable[[Session], dt.datetime]
"""An instant; or a clock, for what has to wait for locks: it is read once they are held. Who waited would else judge as
of an instant before that of whoever it waited for."""


def read(session: Session, given: Reading) -> dt.datetime:
    """The instant that is given, or that the clock shows now."""
    return given(session) if callable(given) else given


def now(session: Session) -> dt.datetime:
    """The instant that holds for every process: the virtual clock's if it is set, else real UTC."""
    return virtual_now(session) or dt.datetime.now(dt.UTC)


def virtual_now(session: Session) -> dt.datetime | None:
    """The virtual clock, or None when time is real."""
    moment = session.connection().exec_driver_sql("select virtual_now from clock").scalar()
    return moment.astimezone(dt.UTC) if moment else None


def set_virtual(session: Session, moment: dt.datetime | None) -> None:
    """Set the virtual clock, or with None return to real time. Raises InvalidInput when it would run backwards."""
    if moment is None:
        session.execute(text("delete from clock"))
        return
    before = virtual_now(session)
    if before is not None and moment < before:
        raise InvalidInput(
            f"the virtual clock stands at {before.isoformat()} and cannot go back to {moment.isoformat()}"
        )
    session.execute(
        text(
            "insert into clock (id, virtual_now) values (1, :now) "
            "on conflict (id) do update set virtual_now = excluded.virtual_now"
        ),
        {"now": moment},
    )
