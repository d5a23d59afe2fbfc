"""Whom a call means: by its names, or by a telephone number alone.

A number names the oldest contact who has it; else one that is made, the same the next time.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.identify import identify
from engine.contacts.profile import Profile, clean
from engine.errors import InvalidInput

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


def called(
    session: Session, user_id: str | None, email: str | None, phone: str | None, now: dt.datetime, where: str = ""
) -> int:
    """The contact whom a call names, made if need be. Raises InvalidInput, which names the field with `where` in front.

    Call it first in a transaction, as `identify`.
    """
    by_number = bool(phone and not user_id and not email)
    profile, problems = clean(Profile(user_id, email, "phone" if by_number else None, phone))
    for problem in problems:
        raise InvalidInput(problem.error, where=f"{where}{problem.name}", hint=problem.fix)
    return contact_of(session, profile, now) if by_number else identify(session, [profile], now)[0]
