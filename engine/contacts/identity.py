"""Which contact a profile speaks of: decided in memory over what one look-up found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts.profile import NOTHING_ELSE, Profile
from engine.db import driver, text_array

BY_EXTERNAL_ID = text(
    "select id, external_id, email, external_id from contacts where external_id = any(cast(:values as text[]))"
)
IDS = "select external_id, id from contacts where external_id = any(%s::text[])"
BY_EMAIL = text(
    "select id, external_id, email, lower(email) from contacts where lower(email) = any(cast(:values as text[])) "
    "order by id desc"
)
BY_IDENTITY = text(
    "select c.id, c.external_id, c.email, i.value from contact_identities i join contacts c on c.id = i.contact_id "
    "where i.kind = :kind and i.value = any(cast(:values as text[]))"
)


@dataclass(slots=True)
class Person:
    """A contact while a batch is placed. New ones have a negative id until they are written."""

    id: int
    external_id: str | None = None
    email: str | None = None
    profiles: list[Profile] = field(default_factory=list)
    into: Person | None = None  # who took this one in


@dataclass(slots=True)
class Directory:
    """Who is known by which name. Emails are in lower case; of several contacts with one email, the oldest."""

    external_ids: dict[str, Person] = field(default_factory=dict)
    emails: dict[str, Person] = field(default_factory=dict)
    anonymous_ids: dict[str, Person] = field(default_factory=dict)


@dataclass(slots=True)
class Placement:
    """`people[i]` is the contact of profile i; the rest has to be written before values are."""

    people: list[Person] = field(default_factory=list)
    created: list[Person] = field(default_factory=list)
    attached: dict[str, Person] = field(default_factory=dict)  # anonymous id -> its contact from now on
    named: list[Person] = field(default_factory=list)  # stored contacts that get their external id
    merged: list[tuple[Person, Person]] = field(default_factory=list)  # the first goes into the second
    shared: list[int] = field(default_factory=list)  # profiles whose email is another external id's

    @property
    def structural(self) -> bool:
        """Whether contacts or names are added, which only one transaction may do at a time."""
        return bool(self.created or self.attached or self.named or self.merged)


def look_up(session: Session, profiles: Sequence[Profile]) -> Directory:
    """Everybody whom the names in `profiles` find, in at most four queries."""
    found: dict[int, Person] = {}
    external = {p.external_id for p in profiles if p.external_id}
    directory = Directory(
        external_ids=_find(session, BY_EXTERNAL_ID, external, found),
        emails=_find(session, BY_EMAIL, {p.email.lower() for p in profiles if p.email}, found),
        anonymous_ids=_find(
            session, BY_IDENTITY, {p.anonymous_id for p in profiles if p.anonymous_id}, found, kind="anonymous_id"
        ),
    )
    missing = external - directory.external_ids.keys()
    directory.external_ids |= _find(session, BY_IDENTITY, missing, found, kind="external_id")
    return directory


def known_by_id(session: Session, profiles: Sequence[Profile]) -> dict[int, int]:
    """Contact ids, by position, of profiles that are nothing but an external id which is known: most events' are.

    They change nothing, nor does what the others say change whom they find; and they need no lock, because only
    contacts without external id are ever merged away.
    """
    bare = {position: p.external_id for position, p in enumerate(profiles) if p.external_id and p[1:] == NOTHING_ELSE}
    if not bare:
        return {}
    rows = driver(session).execute(IDS, (text_array(set(bare.values())),)).fetchall()
    ids: dict[str, int] = dict(rows)
    return {position: ids[name] for position, name in bare.items() if name in ids}


def knows_all(directory: Directory, profiles: Sequence[Profile]) -> bool:
    """False when some external id or anonymous id is new, so that names will have to be written."""
    return all(
        (p.external_id is None or p.external_id in directory.external_ids)
        and (p.anonymous_id is None or p.anonymous_id in directory.anonymous_ids)
        for p in profiles
    )


def _find(
    session: Session, query: Any, values: Iterable[str | None], found: dict[int, Person], **parameters: str
) -> dict[str, Person]:
    wanted = sorted(value for value in values if value)
    if not wanted:
        return {}
    rows = session.execute(query, {"values": text_array(wanted), **parameters})
    return {name: found.setdefault(id_, Person(id_, external_id, email)) for id_, external_id, email, name in rows}


def place(profiles: Sequence[Profile], directory: Directory) -> Placement:
    """Decide in order, so that a later profile of the batch sees what an earlier one made."""
    placement = Placement()
    for profile in profiles:
        person = _choose(profile, directory) or _create(placement)
        _name(person, profile, directory, placement)
        person.profiles.append(profile)
        placement.people.append(person)
    placement.people = [current(person) for person in placement.people]
    placement.created = [person for person in placement.created if not person.into]
    return placement


def current(person: Person) -> Person:
    while person.into:
        person = person.into
    return person


def _get(names: dict[str, Person], name: str | None) -> Person | None:
    person = names.get(name) if name else None
    return current(person) if person else None


def _choose(profile: Profile, directory: Directory) -> Person | None:
    """By external id; else by email, else by anonymous id, unless that contact has another external id."""
    if person := _get(directory.external_ids, profile.external_id):
        return person
    candidates = (
        _get(directory.emails, profile.email.lower() if profile.email else None),
        _get(directory.anonymous_ids, profile.anonymous_id),
    )
    for person in candidates:
        if person and (not profile.external_id or not person.external_id):
            return person
    return None


def _create(placement: Placement) -> Person:
    person = Person(-1 - len(placement.created))
    placement.created.append(person)
    return person


def _name(person: Person, profile: Profile, directory: Directory, placement: Placement) -> None:
    """Let the profile's names lead to `person`, taking in a contact without external id that had one of them."""
    if profile.external_id and not person.external_id:
        person.external_id = profile.external_id
        directory.external_ids[profile.external_id] = person
        if person.id > 0:
            placement.named.append(person)
    if profile.email:
        _name_email(person, profile.email, directory, placement)
    if profile.anonymous_id:
        _name_anonymous(person, profile.anonymous_id, directory, placement)


def _name_email(person: Person, email: str, directory: Directory, placement: Placement) -> None:
    """An address that an external id's contact and a contact without one share makes them one person."""
    other = current(directory.emails.setdefault(email.lower(), person))
    if other is not person and person.external_id:
        if other.external_id:
            placement.shared.append(len(placement.people))
        else:
            _merge(other, person, placement)
    person.email = email


def _name_anonymous(person: Person, anonymous_id: str, directory: Directory, placement: Placement) -> None:
    other = _get(directory.anonymous_ids, anonymous_id)
    if other is person:
        return
    if other and not other.external_id and not other.email:
        _merge(other, person, placement)
    directory.anonymous_ids[anonymous_id] = person
    placement.attached[anonymous_id] = person


def _merge(gone: Person, kept: Person, placement: Placement) -> None:
    """From now on `gone` is `kept`; one that is new in this batch is simply not made."""
    gone.into = kept
    kept.profiles[:0] = gone.profiles
    gone.profiles = []
    if gone.id > 0:
        placement.merged.append((gone, kept))
