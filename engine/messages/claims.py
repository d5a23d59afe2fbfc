"""What is under way, a row a claim: written with the claim, deleted with its results (`engine.model.MessageClaim`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.arrays import literal
from engine.messages.handed import Handed

insert = text("""
    insert into message_claims (journal, claimed_at, ids, origins)
    values (:journal, :now, cast(:ids as bigint[]), cast(:origins as timestamptz[])) returning id
""")
delete = text("delete from message_claims where id = :id")


def begin(session: Session, messages: Sequence[Handed], journal: str, now: dt.datetime) -> int:
    """Note that these messages are `sending` under `journal`; the id by which `end` forgets it. 0 for none."""
    if not messages:
        return 0
    ids, origins = literal([each.id for each in messages]), literal([each.origin_at for each in messages])
    values = {"ids": ids, "origins": origins, "journal": journal, "now": now}
    return int(session.execute(insert, values).scalar_one())


def end(session: Session, claim: int) -> None:
    """The results of all messages of a claim are being written."""
    session.execute(delete, {"id": claim})
