"""Why people unsubscribe: what they say on the page that follows, if they like, and what that sums up to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.errors import InvalidInput
from engine.tracking import unsubscribe
from engine.tracking.links import MessageKey

REASONS = {
    "too_many": "I get too many messages",
    "not_relevant": "They are not about what interests me",
    "not_asked": "I never asked for them",
    "other": "Something else",
}
LONGEST = 500

STORE = text("""
insert into leaving_reasons (message_id, origin_at, contact_id, reason, words, at)
values (:message_id, :origin_at, :contact_id, :reason, :words, :now)
on conflict (message_id) do update set reason = excluded.reason, words = excluded.words, at = excluded.at""")
COUNTS = text("select reason, count(*) from leaving_reasons where at > :since group by 1 order by 2 desc, 1")
WORDS = text("""
select r.at, r.reason, r.words, coalesce(t.name, m.topic, '') as topic, coalesce(c.slug, '') as content
from (select * from leaving_reasons where at > :since and words <> '' order by at desc limit 10) r
join messages m on m.id = r.message_id and m.origin_at = r.origin_at
left join contents c on c.id = m.content_id left join topics t on t.slug = m.topic order by r.at desc""")


class Said(NamedTuple):
    """How often each reason was said, and the latest words of people: at, reason, words, topic, content."""

    counts: dict[str, int]
    words: Sequence[Any]


def tell(session: Session, key: MessageKey, reason: str, words: str, now: dt.datetime) -> bool:
    """Keep why somebody left by a message; said again, the later word counts. Whether they had left.

    Raises InvalidInput for a reason that is none.
    """
    if reason not in REASONS:
        raise InvalidInput("is no reason", where=reason[:40], hint=f"There are {', '.join(REASONS)}.")
    held = unsubscribe.read(session, [key]).get(key)
    if held is None or not held.left("topic"):
        return False
    values = {"message_id": key[0], "origin_at": key[1], "contact_id": held.message.contact_id, "reason": reason}
    session.execute(STORE, values | {"words": words.replace("\0", "").strip()[:LONGEST], "now": now})
    return True


def read(session: Session, since: dt.datetime) -> Said:
    """What was said since an instant."""
    counts = {reason: int(count) for reason, count in session.execute(COUNTS, {"since": since})}
    return Said(counts, session.execute(WORDS, {"since": since}).all())
