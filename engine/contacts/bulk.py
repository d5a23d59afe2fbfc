"""Contacts from files, many at once: those who are new, and those of whom nothing new is said.

Most rows of a file are one of the two and need no decision: no other row and no other contact has a name of theirs.
They are written, or found to be as they should be, in a handful of statements; any other row is left to `identify`.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from engine.contacts import write
from engine.contacts.changes import NEW_CONTACT, announce_alike
from engine.contacts.identify import LOCK_NAMES, new_ids
from engine.contacts.profile import COLUMNS, Profile
from engine.db import copy_rows, driver, int_array, text_array

BY_EXTERNAL_ID = "select external_id, id from contacts where external_id = any(%s::text[])"
BY_EMAIL = (
    "select lower(email), id, external_id is not null from contacts where lower(email) = any(%s::text[]) "
    "order by id desc"
)
FORMER_NAMES = "select exists (select from contact_identities where kind = 'external_id')"
BY_FORMER_NAME = (
    "select value, contact_id from contact_identities where kind = 'external_id' and value = any(%s::text[])"
)
READ = "select id, email, phone, timezone, locale, attributes::text from contacts where id = any(%s::bigint[])"
HELD = f"{READ} order by id for key share"
INSERT = (
    "contacts(id, public_id, external_id, email, phone, timezone, locale, attributes, created_at, updated_at)",
    ("int8", "text", "text", "text", "text", "text", "text", "bytea", "timestamptz", "timestamptz"),
)
"""Binary COPY carries no types, so jsonb may be handed over as the bytes that it is on the wire: 1 and the text."""


class Row(NamedTuple):
    """What a row says of one contact, normalised; None says nothing.

    `attributes` is JSON text as PostgreSQL prints jsonb, `names` are the columns and attributes that have a value.
    """

    external_id: str | None
    email: str | None
    anonymous_id: str | None
    phone: str | None
    timezone: str | None
    locale: str | None
    attributes: str
    names: tuple[str, ...]

    def profile(self) -> Profile:
        """The same as `identify` takes it."""
        return Profile(*self[:6], attributes=json.loads(self.attributes))


@dataclass(slots=True)
class Written:
    """What became of rows, by their position: `ids` of their contacts, and the `rest`, which is still to be written.

    `created` are the ids of new contacts. `shared` are rows whose email belongs to an older contact with another
    external id.
    """

    ids: dict[int, int] = field(default_factory=dict)
    created: list[int] = field(default_factory=list)
    rest: list[int] = field(default_factory=list)
    shared: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Found:
    """Whom the names of the rows find. An email's holder is (id, whether it has an external id), the oldest of them.

    `repeated` says that some name stands in several rows.
    """

    owners: dict[str | None, int]
    former: dict[str | None, int]
    holders: dict[str | None, tuple[int, bool]]
    repeated: bool

    @property
    def nobody(self) -> bool:
        """Whether every row speaks of somebody else, who is new."""
        return not (self.owners or self.former or self.holders or self.repeated)


def write_rows(session: Session, rows: Sequence[Row], now: dt.datetime, *, expect_new: bool, hold: bool) -> Written:
    """Write the rows that need no decision; `rest` of the result has to go through `identify`, in a later transaction.

    The result is as if all rows had gone through it in their order. `expect_new` saves a second look-up when contacts
    will be made, which only one transaction at a time may do; `hold` keeps the contacts found from being merged away
    before the commit. Call it once in a transaction, before anything else is locked.
    """
    if expect_new:
        session.execute(LOCK_NAMES)
    new, known, written = _sorted(rows, _find(session, rows))
    if new and not expect_new:
        session.execute(LOCK_NAMES)
        new, known, written = _sorted(rows, _find(session, rows))
    _compare(session, rows, known, written, hold)
    _create(session, rows, new, written, now)
    written.rest.sort()
    written.shared = [position for position in written.shared if position in written.ids]
    return written


def _find(session: Session, rows: Sequence[Row]) -> _Found:
    execute = driver(session).execute
    named = [row.external_id for row in rows if row.external_id]
    addressed = [row.email.lower() for row in rows if row.email]
    external, emails = set(named), set(addressed)
    repeated = len(external) < len(named) or len(emails) < len(addressed)
    owners: dict[str | None, int] = dict(execute(BY_EXTERNAL_ID, (text_array(external),)).fetchall())
    former: dict[str | None, int] = {}
    if len(owners) < len(external) and execute(FORMER_NAMES).fetchone() == (True,):
        former = dict(execute(BY_FORMER_NAME, (text_array(external - owners.keys()),)).fetchall())
    found = execute(BY_EMAIL, (text_array(emails),)).fetchall() if emails else []
    holders = {email: (id_, has_external_id) for email, id_, has_external_id in found}
    return _Found(owners, former, holders, repeated)


def _sorted(rows: Sequence[Row], found: _Found) -> tuple[list[int], dict[int, int], Written]:
    """Positions of rows that make a contact, contact ids of rows that find theirs, and the rest in the result."""
    if found.nobody and not any(row.anonymous_id for row in rows):
        return list(range(len(rows))), {}, Written()
    emails = [row.email and row.email.lower() for row in rows]
    owners = [found.owners.get(row.external_id) for row in rows]
    holders = [found.holders.get(email) for email in emails]
    once = _Once(rows, emails, owners, holders)
    new, known, written = [], {}, Written()
    for position, (row, owner, holder) in enumerate(zip(rows, owners, holders, strict=True)):
        if not once.alone(row, emails[position], owner, holder) or row.external_id in found.former:
            written.rest.append(position)
        elif holder is None or holder[0] == owner or (row.external_id and holder[1]):
            if owner is None:
                new.append(position)
            else:
                known[position] = owner
            if holder is not None and holder[0] != owner:
                written.shared.append(position)
        elif row.external_id is None:
            known[position] = holder[0]
        else:
            written.rest.append(position)
    return new, known, written


class _Once:
    """Names and contacts that several of the rows speak of: what these say together is decided elsewhere."""

    def __init__(
        self,
        rows: Sequence[Row],
        emails: Sequence[str | None],
        owners: Sequence[int | None],
        holders: Sequence[tuple[int, bool] | None],
    ) -> None:
        self._names = _repeated(row.external_id for row in rows)
        self._emails = _repeated(emails)
        pairs = ({owner, holder and holder[0]} for owner, holder in zip(owners, holders, strict=True))
        self._contacts = _repeated(id_ for pair in pairs for id_ in pair)

    def alone(self, row: Row, email: str | None, owner: int | None, holder: tuple[int, bool] | None) -> bool:
        """Whether no other row has a name of this one or finds a contact that this one finds."""
        return not (
            row.anonymous_id
            or row.external_id in self._names
            or email in self._emails
            or owner in self._contacts
            or (holder and holder[0] in self._contacts)
        )


def _repeated(names: Iterable[Any]) -> set[Any]:
    return {name for name, count in Counter(names).items() if count > 1 and name is not None}


def _compare(session: Session, rows: Sequence[Row], known: dict[int, int], written: Written, hold: bool) -> None:
    """Rows whose contact is as they say are done; one that differs or is gone by now is not."""
    if not known:
        return
    found = driver(session).execute(HELD if hold else READ, (int_array(known.values()),))
    stored = {contact[0]: contact for contact in found}
    for position, id_ in known.items():
        if id_ in stored and _says_nothing_new(rows[position], stored[id_]):
            written.ids[position] = id_
        else:
            written.rest.append(position)


def _says_nothing_new(row: Row, contact: tuple[Any, ...]) -> bool:
    _, email, phone, timezone, locale, attributes = contact
    if row.attributes == attributes:
        return (
            row.email in (None, email)
            and row.phone in (None, phone)
            and row.timezone in (None, timezone)
            and row.locale in (None, locale)
        )
    stored = write.Stored(dict(zip(COLUMNS, contact[1:5], strict=True)), json.loads(attributes))
    return not write.difference(stored, write.from_profiles([row.profile()]))


def _create(session: Session, rows: Sequence[Row], new: Sequence[int], written: Written, now: dt.datetime) -> None:
    if not new:
        return
    ids = new_ids(session, len(new))
    public = secrets.token_hex(16 * len(new))
    fresh = [rows[position] for position in new]
    copy_rows(
        session,
        *INSERT,
        (
            (id_, public[start : start + 32], row.external_id, row.email, row.phone, row.timezone, row.locale,
             b"\1" + row.attributes.encode(), now, now)
            for id_, start, row in zip(ids, range(0, len(public), 32), fresh, strict=True)
        ),
    )  # fmt: skip
    alike: dict[tuple[str, ...], list[int]] = {}
    for id_, row in zip(ids, fresh, strict=True):
        alike.setdefault(row.names, []).append(id_)
    announce_alike(session, {("attribute", (NEW_CONTACT, *names)): same for names, same in alike.items()}, now)
    written.ids.update(zip(new, ids, strict=True))
    written.created = ids
