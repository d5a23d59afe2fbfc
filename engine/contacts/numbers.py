"""Whom a telephone number alone names: the oldest contact who has it; else one that is made, the same the next time."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.identify import identify
from engine.contacts.profile import Profile

HOLDER = text("""
select id from contacts where phone = :phone and erased_at is null order by id limit 1 for no key update""")


def contact_of(session: Session, profile: Profile, now: dt.datetime) -> int:
    """The contact of a clean profile that has a phone, and neither a user id nor an email address.

    A contact that is there already is left as it is.
    """
    found = session.execute(HOLDER, {"phone": profile.phone}).scalar()
    if found is not None:
        return int(found)
    return identify(session, [profile._replace(anonymous_id=f"phone:{profile.phone}")], now)[0]
