"""The journeys and versions of a workspace, as the executor needs them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.db import driver
from engine.expr.load import load as load_schema
from engine.expr.schema import Schema
from engine.segments import SegmentIndex, load_rules
from engine.workspace import Workspace
from journeys.language.parse import parse
from journeys.language.program import Program, program
from journeys.runtime.index import Index
from journeys.runtime.listening import Listening, listening


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A frozen version with the state of its journey (live, paused, draining, stopped)."""

    id: int
    journey_id: int
    state: str
    live: bool
    program: Program
    listening: Listening


@dataclass
class Catalogue:
    """What holds for one batch: names that rules refer to, the workspace, the segments' rules, and the versions.

    A catalogue is read at the start of a job and thrown away at its end, so that edits are seen within a job's time.
    """

    schema: Schema
    workspace: Workspace
    versions: dict[int, Version]
    contents: dict[str, tuple[int, str]]  # slug -> (id, channel)
    segments: SegmentIndex = field(default_factory=lambda: SegmentIndex([]))
    stamp: str | None = None
    statements: dict[Any, Any] = field(default_factory=dict)

    @functools.cached_property
    def index(self) -> Index:
        """Who hears what."""
        return Index(list(self.versions.values()), self.segments, self.workspace, self.schema)

    @property
    def live(self) -> list[Version]:
        """Versions that people may enter."""
        return [v for v in self.versions.values() if v.live and v.state == "live"]

    def version(self, session: Session, id_: int) -> Version:
        """The version with this id, also if it is neither live nor holds anybody."""
        if id_ not in self.versions:
            self.versions.update(_versions(session, self.schema.aliases, [id_]))
        return self.versions[id_]

    def follow(self, session: Session) -> bool:
        """Read anew if a journey was published or changed its state since, or a rule or name that events are matched by
        was edited. Returns whether it was so."""
        if driver(session).execute(f"select {STAMP}").fetchone() == (self.stamp,):
            return False
        self.__dict__ = load(session).__dict__
        return True


STAMP = """
md5(concat_ws(';',
    (select string_agg(concat_ws(' ', id, state, live_version_id), ',' order by id) from journeys),
    (select string_agg(concat_ws(' ', id, slug, rule), ',' order by id) from segments),
    (select string_agg(value::text, ',' order by name) from workspace_settings
     where name in ('revenue_events', 'event_aliases'))))
"""
"""As an expression, so that a statement can do its work only if nothing has changed."""
VERSIONS = text("""
select v.id, v.journey_id, j.state, coalesce(v.id = j.live_version_id, false), v.source
from journey_versions v join journeys j on j.id = v.journey_id
where v.id = any(:ids) or v.id = j.live_version_id
    or (select true from enrolments e where e.version_id = v.id and e.status = 'active' limit 1)
    or (select true from enrolments e where e.version_id = v.id and e.status = 'held_out' limit 1)
    or (select true from enrolments e where e.version_id = v.id and e.status <> 'active' and e.goal_at is null
            and e.goal_until is not null
            and e.goal_until >= coalesce((select virtual_now from clock), now()) - interval '2 days' limit 1)
""")
"""The first entry of an index answers for each version; an `exists` would be hashed, which reads all of them."""


def load(session: Session) -> Catalogue:
    """All that is live, holds people or may still see their goal; other versions are read when they are asked for."""
    stamp = session.execute(text(f"select {STAMP}")).scalar()
    contents = session.execute(text("select slug, id, channel from contents")).all()
    schema = load_schema(session)
    return Catalogue(
        schema,
        workspace.load(session),
        _versions(session, schema.aliases, []),
        {slug: (id_, channel) for slug, id_, channel in contents},
        SegmentIndex(load_rules(session, schema) if schema.segments else []),
        stamp,
        _statements(session, schema),
    )


_kept: WeakKeyDictionary[Any, tuple[Schema, dict[Any, Any]]] = WeakKeyDictionary()


def _statements(session: Session, schema: Schema) -> dict[Any, Any]:
    """Statements are dear to build (some milliseconds) and versions never change, so those of a workspace are kept as
    long as the names do not change."""
    workspace_engine = session.get_bind()
    kept = _kept.get(workspace_engine)
    if kept is None or kept[0] != schema:
        kept = _kept[workspace_engine] = (schema, {})
    return kept[1]


def _versions(session: Session, aliases: Mapping[str, str], ids: Sequence[int]) -> dict[int, Version]:
    found = {}
    for id_, journey_id, state, live, source in session.execute(VERSIONS, {"ids": list(ids)}).all():
        flat, heard = _compiled(source, tuple(sorted(aliases.items())))
        found[id_] = Version(id_, journey_id, state, live, flat, heard)
    return found


def compiled(source: str) -> Program:
    """A version's text, read once a process."""
    return _compiled(source, ())[0]


@functools.cache
def _compiled(source: str, aliases: tuple[tuple[str, str], ...]) -> tuple[Program, Listening]:
    """A version's text never changes, so it is read once a process."""
    known = dict(aliases)
    flat = program(parse(source, known))
    return flat, listening(flat, known)
