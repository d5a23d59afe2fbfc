"""Find or make contacts, many at once, and write what has changed of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts import write
from engine.contacts.changes import NEW_CONTACT, announce
from engine.contacts.identity import Person, Placement, current, known_by_id, knows_all, look_up, place
from engine.contacts.merge import merge
from engine.contacts.profile import Profile

LOCK_NAMES = text("select pg_advisory_xact_lock(hashtext(current_schema() || ' contacts'))")
NEW_IDS = text("""
with sequence as materialized (select cast(pg_get_serial_sequence('contacts', 'id') as regclass) as name)
select array_agg(nextval(name)) from sequence, generate_series(1, cast(:count as int))""")
ATTACH = text("""
insert into contact_identities (kind, value, contact_id)
select 'anonymous_id', value, contact_id
from unnest(cast(:values as text[]), cast(:ids as bigint[])) a(value, contact_id)
on conflict (kind, value) do update set contact_id = excluded.contact_id""")
NAME = text("""
update contacts c set external_id = n.external_id
from unnest(cast(:ids as bigint[]), cast(:names as text[])) n(id, external_id) where c.id = n.id""")


@dataclass(frozen=True, slots=True)
class Identified:
    """The contact id of each profile, and the ids of those contacts that are new and of those that were changed.

    `shared` are the positions of profiles whose email belongs to an older contact with another external id.
    """

    ids: list[int]
    created: set[int]
    changed: set[int]
    shared: list[int] = field(default_factory=list)


def identify(session: Session, profiles: Sequence[Profile], now: dt.datetime) -> list[int]:
    """The contact id of each profile, made if need be, with its values written and its changes announced.

    Profiles are as `engine.contacts.profile.clean` gives them. A contact is found by external id, else email (without
    regard to case), else anonymous id. A contact without external id that shares a name with one that has it is merged
    into it; where two external ids meet, each keeps its contact. Later profiles of the batch win over earlier ones.
    Contacts are locked in the order of their ids; at most one transaction at a time adds names. Call it once in a
    transaction, before anything else is locked.
    """
    return identify_all(session, profiles, now).ids


def identify_all(session: Session, profiles: Sequence[Profile], now: dt.datetime) -> Identified:
    """As `identify`, saying also which contacts are new and which were changed."""
    if not profiles:
        return Identified([], set(), set())
    known = known_by_id(session, profiles)
    positions = [position for position in range(len(profiles)) if position not in known]
    others = [profiles[position] for position in positions]
    directory = look_up(session, others)
    placement = place(others, directory) if knows_all(directory, others) else None
    wanted = _wanted(placement) if placement else {}
    if placement is None or placement.structural or not _lock(session, wanted):
        known, positions = {}, list(range(len(profiles)))
        placement = _settle(session, profiles, now)
        wanted = _wanted(placement)
    changed = write.update(session, wanted, now)
    created = {person.id for person in placement.created}
    changed |= {person.id for person in placement.named} | {current(kept).id for _, kept in placement.merged}
    ids = known | {position: person.id for position, person in zip(positions, placement.people, strict=True)}
    shared = [positions[index] for index in placement.shared]
    return Identified([ids[position] for position in range(len(profiles))], created, changed - created, shared)


def set_attributes(session: Session, values: Mapping[int, Mapping[str, Any]], now: dt.datetime) -> None:
    """Write attributes or columns by contact id, unchecked; None takes a value away."""
    wanted = {id_: write.from_values(values[id_]) for id_ in write.lock(session, values.keys(), "no key update")}
    write.update(session, wanted, now)


def _wanted(placement: Placement) -> dict[int, write.Change]:
    """What is to be written, by contact; nothing for contacts that are only spoken of."""
    unique = {person.id: person for person in placement.people if person.profiles}
    return {id_: write.from_profiles(person.profiles) for id_, person in unique.items()}


def _lock(session: Session, wanted: Mapping[int, write.Change]) -> bool:
    """False when one of the contacts was merged away since it was looked up."""
    strength = "no key update" if any(wanted.values()) else "key share"
    return len(write.lock(session, wanted.keys(), strength)) == len(wanted)


def _settle(session: Session, profiles: Sequence[Profile], now: dt.datetime) -> Placement:
    """Look again while nobody else may add names; then make, merge and name contacts."""
    session.execute(LOCK_NAMES)
    placement = place(profiles, look_up(session, profiles))
    named = [person for person in placement.named if not person.into]
    stored = {person.id for person in placement.people if person.id > 0} | {gone.id for gone, _ in placement.merged}
    write.lock(session, stored, "update" if named or placement.merged else "no key update")
    _create(session, placement.created, now)
    merge(session, [(gone.id, current(kept).id) for gone, kept in placement.merged], now)
    if named:
        session.execute(NAME, {"ids": [p.id for p in named], "names": [p.external_id for p in named]})
    if placement.attached:
        people = {value: current(person).id for value, person in sorted(placement.attached.items())}
        session.execute(ATTACH, {"values": list(people), "ids": list(people.values())})
    changed = {person.id for person in named} | {current(kept).id for _, kept in placement.merged}
    announce(session, ((id_, "attribute", [NEW_CONTACT, "external_id"]) for id_ in sorted(changed)), now)
    return placement


def new_ids(session: Session, count: int) -> list[int]:
    """Ids for contacts that are about to be made."""
    return list(session.execute(NEW_IDS, {"count": count}).scalar_one())


def _create(session: Session, people: Sequence[Person], now: dt.datetime) -> None:
    """Give ids to new contacts and write them with what is known of them."""
    if not people:
        return
    for person, id_ in zip(people, new_ids(session, len(people)), strict=True):
        person.id = id_
    write.create(session, [(p.id, p.external_id, write.from_profiles(p.profiles)) for p in people], now)
    for person in people:
        person.profiles = []
