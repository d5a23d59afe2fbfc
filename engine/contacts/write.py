"""Write contacts' values: only what differs, one change row for each contact that really changed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.contacts import changes as inbox
from engine.contacts.definitions import define, types_of
from engine.contacts.profile import COLUMNS, Profile
from engine.db import copy_rows, driver, int_array

READ = text(
    "select id, email, phone, timezone, locale, attributes from contacts where id = any(cast(:ids as bigint[]))"
)
UPDATE = text("""
update contacts c
set email = u.email, phone = u.phone, timezone = u.timezone, locale = u.locale, updated_at = :now,
    attributes = (c.attributes || u.attributes) - array(select jsonb_array_elements_text(u.gone))
from unnest(cast(:ids as bigint[]), cast(:email as text[]), cast(:phone as text[]), cast(:timezone as text[]),
            cast(:locale as text[]), cast(:attributes as jsonb[]), cast(:gone as jsonb[]))
    u(id, email, phone, timezone, locale, attributes, gone)
where c.id = u.id""")
INSERT = (
    "contacts(id, external_id, email, phone, timezone, locale, attributes, created_at, updated_at)",
    ("int8", "text", "text", "text", "text", "text", "jsonb", "timestamptz", "timestamptz"),
)


@dataclass(slots=True)
class Change:
    """New values of a contact; None takes one away."""

    columns: dict[str, str | None] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.columns or self.attributes)


class Stored(NamedTuple):
    """A contact as it is in the store."""

    columns: dict[str, str | None]
    attributes: dict[str, Any]


def from_profiles(profiles: Iterable[Profile]) -> Change:
    """What several profiles of one contact say together; the later wins."""
    change = Change()
    columns = change.columns
    for profile in profiles:
        if profile.email is not None:
            columns["email"] = profile.email
        if profile.phone is not None:
            columns["phone"] = profile.phone
        if profile.timezone is not None:
            columns["timezone"] = profile.timezone
        if profile.locale is not None:
            columns["locale"] = profile.locale
        change.attributes.update(profile.attributes)
        for name in profile.removed:
            (change.columns if name in COLUMNS else change.attributes)[name] = None
    return change


def from_values(values: Mapping[str, Any]) -> Change:
    """Columns and attributes from one mapping of names."""
    return Change(
        {name: value for name, value in values.items() if name in COLUMNS},
        {name: value for name, value in values.items() if name not in COLUMNS},
    )


def lock(session: Session, ids: Collection[int], strength: str) -> set[int]:
    """Lock contacts in the order of their ids. Returns those that exist.

    `strength`: `key share` keeps them from going, `no key update` is for writing, `update` for naming and merging.
    """
    if not ids:
        return set()
    statement = f"select id from contacts where id = any(%s::bigint[]) order by id for {strength}"
    return {row[0] for row in driver(session).execute(statement, (int_array(ids),))}


def create(session: Session, people: Sequence[tuple[int, str | None, Change]], now: dt.datetime) -> None:
    """Insert contacts of (id, external id, values)."""
    if not people:
        return
    values = [
        (id_, external_id, change, _present(resolved({}, change.attributes))) for id_, external_id, change in people
    ]
    copy_rows(
        session,
        *INSERT,
        (
            (id_, external_id, *(change.columns.get(name) for name in COLUMNS), attributes, now, now)
            for id_, external_id, change, attributes in values
        ),
    )
    define(session, _types(attributes for *_, attributes in values), now)
    inbox.announce(
        session, ((id_, "attribute", [inbox.NEW_CONTACT, *_names(change)]) for id_, _, change, _ in values), now
    )


def update(session: Session, wanted: Mapping[int, Change], now: dt.datetime) -> set[int]:
    """Bring locked contacts to the wanted values. Returns the ids of those that were not so already."""
    wanted = {id_: change for id_, change in wanted.items() if change}
    if not wanted:
        return set()
    stored = read(session, wanted.keys())
    real = {id_: diff for id_, change in wanted.items() if (diff := difference(stored[id_], change))}
    if real:
        _write(session, {id_: stored[id_] for id_ in real}, real, now)
        define(session, _types(change.attributes for change in real.values()), now)
        inbox.announce(session, ((id_, "attribute", _names(change)) for id_, change in real.items()), now)
    return set(real)


def difference(stored: Stored, change: Change) -> Change:
    """The part of a change that is one."""
    kept, attributes = stored.attributes, resolved(stored.attributes, change.attributes)
    return Change(
        {name: value for name, value in change.columns.items() if value != stored.columns[name]},
        {name: value for name, value in attributes.items() if not _same(kept.get(name), value)},
    )


def resolved(kept: Mapping[str, Any], attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Dotted names reach into objects, as they do in rules; what else such an object holds in `kept` stays."""
    if not any("." in name for name in attributes):
        return attributes
    found: dict[str, Any] = {}
    for name, value in attributes.items():
        top, *path = name.split(".")
        if not path:
            found[top] = value
            continue
        before = found.get(top, kept.get(top))
        found[top] = _reached(before if isinstance(before, dict) else {}, path, value)
    return found


def _reached(document: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """A copy of `document` with `value` under `path`; None takes it away."""
    first, *rest = path
    inner = document.get(first)
    new = _reached(inner if isinstance(inner, dict) else {}, rest, value) if rest else value
    return {name: old for name, old in document.items() if name != first} | ({} if new is None else {first: new})


def _same(old: Any, new: Any) -> bool:
    """Equality of JSON values, where true is not 1. A missing value is None."""
    if old != new:
        return False
    if isinstance(old, dict | list):
        return json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
    return isinstance(old, bool) == isinstance(new, bool)


def read(session: Session, ids: Collection[int]) -> dict[int, Stored]:
    """Contacts as they are now, by id."""
    rows = session.execute(READ, {"ids": int_array(ids)})
    return {
        id_: Stored({"email": email, "phone": phone, "timezone": zone, "locale": locale}, attributes)
        for id_, email, phone, zone, locale, attributes in rows
    }


def _write(session: Session, stored: Mapping[int, Stored], real: Mapping[int, Change], now: dt.datetime) -> None:
    values: dict[str, Any] = {
        name: [real[id_].columns.get(name, stored[id_].columns[name]) for id_ in real] for name in COLUMNS
    }
    values["attributes"] = [json.dumps(_present(change.attributes)) for change in real.values()]
    values["gone"] = [json.dumps([n for n, v in change.attributes.items() if v is None]) for change in real.values()]
    session.execute(UPDATE, {"ids": list(real), "now": now, **values})


def _present(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}


def _names(change: Change) -> list[str]:
    return [*change.columns, *change.attributes]


def _types(values: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    types: dict[str, str] = {}
    for attributes in values:
        if not types.keys() >= attributes.keys() or any(isinstance(v, dict) for v in attributes.values()):
            types = types_of(attributes) | types
    return types
