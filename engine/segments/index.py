"""Which segments a change can touch, looked up by its kind and names: what it does not concern costs nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from engine.contacts.changes import NEW_CONTACT
from engine.expr import Dependencies
from engine.segments.rules import Rule

ANY = ""
"""Filed under this name: every event, consent on a whole channel, every message."""
ALIKE = {"segment_entered": "segment", "segment_left": "segment"}
Asked = dict[int, set[int]]
"""Contacts to look at, by id of the segment."""


class SegmentIndex:
    """The segments' rules, each after those that it reads, filed by what can change their verdicts."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = {rule.segment_id: rule for rule in rules}
        self._places = {id_: place for place, id_ in enumerate(self.rules)}
        self._filed: dict[tuple[str, str], list[int]] = defaultdict(list)
        for rule in rules:
            for key in _keys(rule.reads):
                self._filed[key].append(rule.segment_id)

    @property
    def event_names(self) -> frozenset[str] | None:
        """The names of the events that can touch some segment; None when every event can."""
        if ("event", ANY) in self._filed:
            return None
        return frozenset(name for kind, name in self._filed if kind == "event")

    @property
    def hears_messages(self) -> bool:
        """Whether an accepted message can touch some segment."""
        return ("message", ANY) in self._filed

    def touched(self, kind: str, names: Iterable[str]) -> Collection[int]:
        """Ids of the segments that a change can touch, kinds and names as in `engine.model.ChangeInbox` and `event`.

        `segment` stands for both ways.
        """
        kind, changed = ALIKE.get(kind, kind), set(names)
        if kind == "attribute":
            if NEW_CONTACT in changed:
                return self.rules.keys()
            changed = {name.split(".")[0] for name in changed}
        elif kind in ("event", "message"):
            changed.add(ANY)
        filed = (self._filed.get((kind, name), ()) for name in changed)
        return {id_ for several in filed for id_ in several}

    def ask(self, changes: Mapping[tuple[str, tuple[str, ...]], Collection[int]]) -> Asked:
        """Whom each segment has to look at after changes of (kind, names), each with its contacts."""
        asked: Asked = defaultdict(set)
        for (kind, names), contact_ids in changes.items():
            for id_ in self.touched(kind, names):
                asked[id_].update(contact_ids)
        return dict(asked)

    def with_readers(self, segment_ids: Iterable[int]) -> list[Rule]:
        """The rules of these segments and of those that read them, directly or not, each after those that it reads."""
        found: set[int] = set()
        pending = [id_ for id_ in segment_ids if id_ in self.rules]
        while pending:
            id_ = pending.pop()
            if id_ not in found:
                found.add(id_)
                pending += self._filed.get(("segment", self.rules[id_].slug), ())
        return [self.rules[id_] for id_ in sorted(found, key=self._places.__getitem__)]


def _keys(reads: Dependencies) -> Iterator[tuple[str, str]]:
    named = {
        "event": reads.events, "attribute": reads.attributes, "consent": reads.topics, "list": reads.lists,
        "segment": reads.segments,
    }  # fmt: skip
    yield from ((kind, name) for kind, names in named.items() for name in names)
    wide = {"event": reads.any_event, "consent": bool(reads.channels), "message": reads.messages}
    yield from ((kind, ANY) for kind, reads_all in wide.items() if reads_all)
