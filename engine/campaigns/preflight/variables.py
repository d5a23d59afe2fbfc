"""What contents read of contacts, asked of the whole audience: who lacks it, and which kinds of values there are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Text, case, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from engine.campaigns import audience
from engine.campaigns.definition import Definition
from engine.campaigns.preflight.findings import Finding
from engine.model import Contact
from engine.segments import planning
from engine.segments.planning import planned

READ = text("""
select v.compiled -> 'variables' as variables, v.compiled -> 'defaults' as defaults,
    coalesce(v.compiled -> 'uncovered', v.compiled -> 'variables') as uncovered from contents c
join content_versions d on d.id = c.current_version_id
join content_versions v on v.content_id = d.content_id and v.number = d.number
where c.slug = any(:slugs)
""")
COLUMNS = ("email", "phone", "external_id", "timezone", "locale")
OURS = frozenset({"unsubscribe_url", "preferences_url", "view_url", "postal_address", "workspace", "contact", "now"})
MOST_KINDS = 25
DIGITS = r"^-?[0-9.]+$"
contact: Any = Contact.__table__


def read_by(session: Session, definition: Definition) -> tuple[set[str], set[str]]:
    """Dotted paths that any language of any variant reads, and those of them that one reads without a default."""
    paths, bare = set[str](), set[str]()
    slugs = sorted({one.content for one in definition.variants})
    for row in session.execute(READ, {"slugs": slugs}):
        own = {path for path in row.variables if not _ours(path)}
        paths |= own
        bare |= {path for path in own.intersection(row.uncovered) if path.partition(".")[0] not in row.defaults}
    return paths, bare


def _ours(path: str) -> bool:
    name = path.partition(".")[0]
    return name in OURS or name.startswith("cairn_")


def _value(path: str, *, as_text: bool) -> Any:
    names = path.split(".")
    if path in COLUMNS:
        return contact.c[path] if as_text else func.to_jsonb(contact.c[path])
    return contact.c.attributes.op("#>>" if as_text else "#>")(cast(literal(names), ARRAY(Text)))


def odd(session: Session, definition: Definition, now: dt.datetime) -> list[Any]:
    """A contact of each mix of kinds of values that the contents read, the rarest first; at most MOST_KINDS.

    So a text where all others have a number, a 0 or a gap is tried, though it be one of a million.
    """
    paths = sorted(path for path in read_by(session, definition)[0] if path.partition(".")[0] != "event")
    if not paths:
        return []
    ids = audience.contacts(session, definition, now).subquery()
    kinds = [_kind(path) for path in paths]
    grouped = (
        select(func.min(contact.c.id).label("id"))
        .join_from(ids, contact, contact.c.id == ids.c.id)
        .group_by(*kinds)
        .order_by(func.count())
        .limit(MOST_KINDS)
    )
    with planned(session, planning.ALL):
        found = list(session.execute(grouped).scalars())
        return list(session.execute(select(contact).where(contact.c.id.in_(found))).mappings())


def _kind(path: str) -> Any:
    value = _value(path, as_text=False)
    plain = func.btrim(value.op("#>>")(cast(literal([], ARRAY(Text)), ARRAY(Text))))
    kind = func.coalesce(func.jsonb_typeof(value), "none")
    return case((plain == "", "empty"), (plain == "0", "zero"), (plain.regexp_match(DIGITS), kind + "9"), else_=kind)


def findings(session: Session, definition: Definition, now: dt.datetime) -> Iterator[Finding]:
    """Of attributes that contents read without a default, how many contacts lack them: one statement."""
    wanted = read_by(session, definition)[1]
    if any(path.partition(".")[0] == "event" for path in wanted):
        hint = "A campaign has no event: take it out of the content."
        yield Finding("error", "variable", "A content reads `event`, which only journeys have.", hint)
    paths = sorted(path for path in wanted if path.partition(".")[0] != "event")
    for path, count, who in _absent(session, definition, paths, now):
        message = f"`{path}` is not known of {count:,} {'contact' if count == 1 else 'contacts'}, and has no default."
        hint = f"Add defaults: {{{path.partition('.')[0]}: …}} to the content."
        yield Finding("warning", "variable", message, hint, count, (who,), (path,))


def _absent(
    session: Session, definition: Definition, paths: Iterable[str], now: dt.datetime
) -> list[tuple[str, int, str]]:
    """(path, contacts who lack it, one of them)."""
    paths = list(paths)
    if not paths:
        return []
    ids = audience.contacts(session, definition, now).subquery()
    absent = [func.coalesce(func.btrim(_value(path, as_text=True)), "") == "" for path in paths]
    columns = [each for one in absent for each in (func.count().filter(one), func.min(contact.c.public_id).filter(one))]
    with planned(session, planning.ALL):
        row = session.execute(select(*columns).select_from(ids).join(contact, contact.c.id == ids.c.id)).one()
    return [(path, row[2 * place], row[2 * place + 1]) for place, path in enumerate(paths) if row[2 * place]]
