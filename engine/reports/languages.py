"""What became of a content's messages, by the language they were sent in: counted from the ledger."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

PERIOD = dt.timedelta(days=30)
# The version that a message was made of is that of one language; `origin_at` leaves out the partitions before.
BY_LANGUAGE = text("""
select v.language, count(m.accepted_at) as sent, count(m.first_open_at) as opened, count(m.first_click_at) as clicked
from messages m join content_versions v on v.id = m.content_version_id
where m.content_id = (select id from contents where slug = :slug) and m.origin_at >= :since
group by v.language order by sent desc, v.language""")


class Spoken(NamedTuple):
    """Messages in a language: accepted by the server, opened by people or for them, clicked by people."""

    language: str
    sent: int
    opened: int
    clicked: int


def report(session: Session, slug: str, since: dt.datetime) -> list[Spoken]:
    """The languages of a content's messages whose entry or campaign began at `since` or later, the most used first."""
    return [Spoken(*row) for row in session.execute(BY_LANGUAGE, {"slug": slug, "since": since})]
