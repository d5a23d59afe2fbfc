"""Fallbacks of messages that a server took and gave back later: the entry goes back to its send, if it may.

It may while it stands where it came to rest behind the send, so that no step is taken a second time. Who has gone on
from there stays on the way, as somebody whose entry is over does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from engine.db import driver
from engine.receipts.concerned import Concerned

# The contacts are locked by whoever settles receipts. Back at the send, the next advance reads the message's fate.
REOPEN = """
update enrolments e set step_id = u.step_id, visit = u.visit, phase = 'sending', wake_at = %(now)s, deadline = %(now)s
from unnest(%(ids)s::int8[], %(steps)s::text[], %(visits)s::int2[]) as u(id, step_id, visit)
where e.id = u.id and e.status = 'active' and e.phase in ('waiting', 'held') and not exists (
    select from step_log l where l.enrolment_id = u.id and l.outcome not in ('waiting', 'held') and l.id > (
        select coalesce(max(s.id), 0) from step_log s
        where s.enrolment_id = u.id and s.step_id = u.step_id and s.visit = u.visit and s.outcome = 'settled'))
"""


def fall_back(session: Session, bounced: Sequence[Concerned], now: dt.datetime) -> int:
    """Send the entries of messages that bounced hard into their fallbacks. Returns how many."""
    if not bounced:
        return 0
    values = {
        "ids": [each.enrolment_id for each in bounced],
        "steps": [each.step for each in bounced],
        "visits": [each.visit for each in bounced],
        "now": now,
    }
    return driver(session).execute(REOPEN, values).rowcount
