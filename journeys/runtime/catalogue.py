"""The journeys and versions of a workspace, as the executor needs them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import workspace
from engine.expr.load import load as load_schema
from engine.expr.schema import Schema
from engine.workspace import Workspace
from journeys.language.parse import parse
from journeys.language.program import Program, program
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
    """What holds for one batch: names that rules refer to, the workspace, and the versions with their statements.

    A catalogue is read at the start of a job and thrown away at its end, so that edits are seen within a job's time.
    """

    schema: Schema
    workspace: Workspace
    versions: dict[int, Version]
    contents: dict[str, tuple[int, str]]  # slug -> (id, channel)
    stamp: str | None = None
    statements: dict[Any, Any] = field(default_factory=dict)

    @property
    def live(self) -> list[Version]:
        """Versions that people may enter."""
        return [v for v in self.versions.values() if v.live and v.state == "live"]

    def version(self, session: Session, id_: int) -> Version:
        """The version with this id, also if it is neither live nor holds anybody."""
        if id_ not in self.versions:
            self.versions.update(_versions(session, self.schema.aliases, [id_]))
        return self.versions[id_]

    def follow(self, session: Session) -> None:
        """Read anew if a journey was published or changed its state since. To be called after a claim: what was claimed
        may have come in after a publish that this catalogue does not know."""
        if session.execute(STAMP).scalar() == self.stamp:
            return
        fresh = load(session)
        self.schema, self.workspace, self.contents = fresh.schema, fresh.workspace, fresh.contents
        self.versions, self.stamp = fresh.versions, fresh.stamp
        self.statements.clear()


STAMP = text("select md5(string_agg(concat_ws(' ', id, state, live_version_id), ',' order by id)) from journeys")
VERSIONS = text("""
select v.id, v.journey_id, j.state, coalesce(v.id = j.live_version_id, false), v.source
from journey_versions v join journeys j on j.id = v.journey_id
where v.id = any(:ids) or v.id = j.live_version_id
    or exists (select from enrolments e where e.version_id = v.id and e.status = 'active')
""")


def load(session: Session) -> Catalogue:
    """Everything that is live or holds people; other versions are read when they are asked for."""
    stamp = session.execute(STAMP).scalar()
    contents = session.execute(text("select slug, id, channel from contents")).all()
    schema = load_schema(session)
    return Catalogue(
        schema,
        workspace.load(session),
        _versions(session, schema.aliases, []),
        {slug: (id_, channel) for slug, id_, channel in contents},
        stamp,
    )


def _versions(session: Session, aliases: Mapping[str, str], ids: Sequence[int]) -> dict[int, Version]:
    found = {}
    for id_, journey_id, state, live, source in session.execute(VERSIONS, {"ids": list(ids)}).all():
        flat, heard = _compiled(source, tuple(sorted(aliases.items())))
        found[id_] = Version(id_, journey_id, state, live, flat, heard)
    return found


@functools.cache
def _compiled(source: str, aliases: tuple[tuple[str, str], ...]) -> tuple[Program, Listening]:
    """A version's text never changes, so it is read once a process."""
    known = dict(aliases)
    flat = program(parse(source, known))
    return flat, listening(flat, known)
