"""Who hears what: an event or a change is looked up here first, so that what concerns nobody costs next to nothing."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.expr.schema import Schema
from engine.expr.values import dig
from engine.segments import SegmentIndex
from engine.workspace import Workspace
from journeys.language.steps import DateOffset
from journeys.runtime.listening import Fact
from journeys.runtime.where import Where

if TYPE_CHECKING:
    from journeys.runtime.catalogue import Version


@dataclass
class Listeners:
    """Versions with a condition each on events of one name, filed by the first text that the condition asks for.

    A hundred journeys that wait for the same event with another `product` each cost one look-up.
    """

    by_text: dict[tuple[str, ...], dict[str, list[tuple[Version, Where]]]] = field(default_factory=dict)
    others: list[tuple[Version, Where]] = field(default_factory=list)

    def add(self, version: Version, where: Where) -> None:
        """File one condition of a version."""
        if not where.texts:
            self.others.append((version, where))
            return
        path, wanted = where.texts[0]
        self.by_text.setdefault(path, {}).setdefault(wanted, []).append((version, where))

    def candidates(self, properties: Mapping[str, Any]) -> Iterator[tuple[Version, Where]]:
        """All that an event with these properties may fit."""
        yield from self.others
        for path, filed in self.by_text.items():
            value = dig(properties, path)
            if isinstance(value, str):
                yield from filed.get(value, ())


class Index:
    """What the versions of a catalogue, its segments and its workspace listen to."""

    def __init__(
        self, versions: Sequence[Version], segments: SegmentIndex, workspace: Workspace, schema: Schema
    ) -> None:
        self.versions, self.segments, self.workspace, self.schema = versions, segments, workspace, schema
        self.restless = frozenset(v.id for v in versions if any(ears.any_event for ears in v.listening.ears))
        self.starts: dict[str, Listeners] = defaultdict(Listeners)
        self.waits: dict[str, Listeners] = defaultdict(Listeners)
        self.joins: dict[str, list[Version]] = defaultdict(list)
        self.dates: list[tuple[Version, DateOffset]] = []
        self._touches: dict[Fact, bool] = {}
        self._hearers: dict[Fact, frozenset[int]] = {}
        for version in versions:
            self._file(version)

    def _file(self, version: Version) -> None:
        enter = version.program.journey.enter
        if version.live and enter.date is not None:
            self.dates.append((version, enter.date))
        if version.live and version.state == "live":
            if enter.event:
                self.starts[enter.event].add(version, version.listening.start)
            if enter.segment:
                self.joins[enter.segment].append(version)
        for ears in version.listening.ears:
            for name, wheres in ears.wheres.items():
                for where in wheres:
                    self.waits[name].add(version, where)

    def names(self) -> list[str] | None:
        """The names of all events that anybody hears; None when every event is heard."""
        watched = self.segments.event_names
        if self.restless or watched is None:
            return None
        return sorted({*self.starts, *self.waits, *self.workspace.revenue_events, *watched})

    def started(self, name: str, properties: Mapping[str, Any], now: dt.datetime) -> bool:
        """Whether an event may start a journey, as far as the event alone tells."""
        heard = self.starts.get(name)
        return heard is not None and any(
            where.verdict(properties, self.schema, now).value for _, where in heard.candidates(properties)
        )

    def minded(self, name: str, properties: Mapping[str, Any], now: dt.datetime) -> frozenset[int]:
        """Ids of the versions of which an open entry may mind an event."""
        heard = self.waits.get(name)
        if heard is None:
            return self.restless
        found = ((v, where.verdict(properties, self.schema, now)) for v, where in heard.candidates(properties))
        return self.restless.union(v.id for v, verdict in found if verdict.value or verdict.changes_at is not None)

    def hearers(self, fact: Fact) -> frozenset[int]:
        """Ids of the versions of which an open entry may mind a change."""
        if fact not in self._hearers:
            self._hearers[fact] = frozenset(
                version.id for version in self.versions if any(ears.hears(fact) for ears in version.listening.ears)
            )
        return self._hearers[fact]

    @property
    def hears_messages(self) -> bool:
        """Whether an accepted message can change a verdict of some version."""
        return any(ears.messages for version in self.versions for ears in version.listening.ears)

    def touches(self, fact: Fact) -> bool:
        """Whether a fact can change who is in some segment."""
        if fact not in self._touches:
            self._touches[fact] = bool(self.segments.touched(fact.kind, fact.names))
        return self._touches[fact]
