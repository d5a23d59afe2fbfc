"""Lists of steps: which kind each is, its id, its options."""

from __future__ import annotations

from dataclasses import dataclass, field

from ruamel.yaml.nodes import Node, ScalarNode

from journeys.language.draft import Draft, is_boolean, read_id
from journeys.language.kinds import KINDS
from journeys.language.reader import Fields, Reader, Unreadable
from journeys.language.steps import Step
from journeys.language.tree import start

COMMON = ("id", "exit")
ID_HINT = "Run `cairn journeys fmt`, which gives every step an id."


@dataclass(slots=True)
class StepReader:
    """Reads steps, and remembers the node of each id that it has seen."""

    reader: Reader
    ids: dict[str, Node] = field(default_factory=dict)

    def read(self, node: Node, what: str) -> tuple[Step, ...]:
        """The steps of a list; those that cannot be read are noted and left out."""
        found: list[Step] = []
        for item in self.reader.items(node, what):
            with self.reader.collecting():
                found.append(self._step(item))
        return tuple(found)

    def _step(self, node: Node) -> Step:
        mapping = self.reader.mapping(node, "A step")
        kind = self._kind(node, {name: key for name, (key, _) in mapping.items()})
        allowed = {kind, *COMMON, *KINDS[kind].options}
        for name, (key, _) in mapping.items():
            if name not in allowed and name not in KINDS:
                self.reader.unknown_key(node, key, f"`{kind}`", allowed)
        fields = {name: value for name, (_, value) in mapping.items() if name in allowed}
        line, column = start(node)
        common = {"id": self._id(node, fields), "line": line, "column": column}
        if kind != "exit":
            common["exit"] = self.reader.optional(fields, "exit", self._flag, False)
        return KINDS[kind].read(Draft(self.reader, self.read, node, kind, fields, common))

    def _kind(self, node: Node, keys: dict[str, ScalarNode]) -> str:
        named = [name for name in keys if name in KINDS]
        kinds = [name for name in named if name != "exit"] or named
        if not kinds:
            unknown = [key for name, key in keys.items() if name not in COMMON]
            for key in unknown:
                self.reader.unknown_key(node, key, "A step", KINDS)
            if not unknown:
                self.reader.note(node, "This step has no kind.", tuple(KINDS))
            raise Unreadable
        if len(kinds) > 1:
            message = f"A step has one kind; this one has `{kinds[0]}` and `{kinds[1]}`."
            self.reader.note(keys[kinds[1]], message, hint="Begin a new step with `- `.")
        return kinds[0]

    def _id(self, node: Node, fields: Fields) -> str:
        if "id" not in fields:
            self.reader.note(node, "This step has no id.", ("id:",), ID_HINT)
            return ""
        identifier = self.reader.optional(fields, "id", lambda value: read_id(self.reader, value, "An id"), "")
        if identifier in self.ids:
            line = start(self.ids[identifier])[0]
            self.reader.note(fields["id"], f"The id `{identifier}` is taken by the step on line {line}.")
        elif identifier:
            self.ids[identifier] = node
        return identifier

    def _flag(self, node: Node) -> bool:
        if isinstance(node, ScalarNode) and not is_boolean(node):
            hint = "As a step of its own: `- exit: REASON`."
            raise self.reader.refuse(node, "Beside another kind, `exit` is true or false.", ("true", "false"), hint)
        return self.reader.boolean(node, "`exit`")
