"""One reader per kind of step, looked up by the key that names the kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ruamel.yaml.nodes import Node, ScalarNode

from engine.expr.schema import BUILT_IN
from journeys.language import steps as model
from journeys.language import values
from journeys.language.draft import Draft, is_boolean, is_null, read_id
from journeys.language.paths import read_arms, read_paths, read_wait_rules
from journeys.language.read_sends import STEP_OPTIONS, TEXT_OPTIONS, read_options
from journeys.language.reader import Pairs, Reader
from journeys.language.steps import Step


def _send(into: type[model.Email] | type[model.Sms]) -> Callable[[Draft], Step]:
    def read(draft: Draft) -> Step:
        options = read_options(draft.reader, draft.fields, draft.inner("fallback"))
        return into(content=draft.reader.string(draft.value, f"`{draft.kind}`"), send=options, **draft.common)

    return read


def _webhook(draft: Draft) -> Step:
    slug = draft.reader.string(draft.value, "`webhook`")

    def attribute(value: Node) -> str:
        path = draft.reader.parsed(value, "`store`", values.path)
        if path in BUILT_IN:
            raise draft.reader.refuse(value, f"A step cannot change the built-in field `{path}`.")
        return path

    store = draft.optional("store", attribute, "")
    return model.Webhook(webhook=slug, store=store, if_=_if(draft), **draft.common)


def _if(draft: Draft) -> model.RuleText | None:
    return draft.optional("if", draft.rule, None)


def _wait(draft: Draft) -> Step:
    return model.Wait(until=draft.reader.parsed(draft.value, "`wait`", values.until), **draft.common)


def _wait_for(draft: Draft) -> Step:
    rules = read_wait_rules(draft)
    timeout = draft.inner("timeout")
    limit = draft.required("up_to", "up_to: 3 days")
    return model.WaitFor(
        rules=rules, up_to=draft.reader.parsed(limit, "`up_to`", values.up_to), timeout=timeout, **draft.common
    )


def _branch(draft: Draft) -> Step:
    paths = read_paths(draft)
    return model.Branch(title=draft.title(), paths=paths, **draft.common)


def _split(draft: Draft) -> Step:
    def winner(node: Node) -> model.Winner:
        return draft.reader.parsed(node, "`winner`", values.winner)

    return model.Split(
        title=draft.title(), paths=read_arms(draft), winner=draft.optional("winner", winner, None), **draft.common
    )


def _set(draft: Draft) -> Step:
    found = draft.reader.mapping(draft.value, "`set`")
    if not found:
        raise draft.reader.refuse(draft.value, "`set` sets nothing.", ("set: {lifecycle: trial_done}",))
    pairs: list[tuple[str, Any]] = []
    for name, (key, value) in found.items():
        with draft.reader.collecting():
            draft.reader.parsed(key, "The name of an attribute", values.path)
            if name in BUILT_IN:
                raise draft.reader.refuse(key, f"A step cannot change the built-in field `{name}`.")
            pairs.append((name, draft.reader.literal(value, f"`{name}`")))
    return model.Set(values=tuple(pairs), **draft.common)


def _score(draft: Draft) -> Step:
    name = draft.optional("name", lambda node: draft.reader.parsed(node, "`name`", values.path), "score")
    return model.Score(points=draft.reader.integer(draft.value, "`score`"), name=name, **draft.common)


def _list(draft: Draft) -> Step:
    found = draft.reader.fields(draft.value, "`list`", ("add", "remove"))
    if not found:
        raise draft.reader.refuse(draft.value, "`list` changes nothing.", ("list: {add: vip}", "list: {remove: vip}"))
    add, remove = (_names(draft.reader, found[key]) if key in found else () for key in ("add", "remove"))
    return model.ListStep(add=add, remove=remove, **draft.common)


def _names(reader: Reader, node: Node) -> tuple[str, ...]:
    nodes = [node] if isinstance(node, ScalarNode) else reader.items(node, "A list of names")
    return tuple(reader.string(one, "The name of a list") for one in nodes)


def _notify(draft: Draft) -> Step:
    to = draft.reader.string(draft.value, "`notify`")
    text = draft.optional("message", lambda value: draft.reader.string(value, "`message`", 2000), "")
    return model.Notify(to=to, message=text, if_=_if(draft), **draft.common)


def _event(draft: Draft) -> Step:
    properties: Pairs = ()
    if "properties" in draft.fields:
        properties = draft.reader.literals(draft.fields["properties"], "`properties`")
    return model.Emit(event=draft.reader.string(draft.value, "`event`"), properties=properties, **draft.common)


def _journey(draft: Draft) -> Step:
    return model.StartJourney(journey=read_id(draft.reader, draft.value, "`journey`"), **draft.common)


def _repeat(draft: Draft) -> Step:
    body = draft.required("do", "do:")
    inner = draft.steps(body, "`do`")
    if not draft.reader.items(body, "`do`"):
        raise draft.reader.refuse(body, "`repeat` has nothing to do.", ("- …",))
    times = draft.reader.parsed(draft.value, "`repeat`", values.times)
    return model.Repeat(times=times, do=inner, **draft.common)


def _exit(draft: Draft) -> Step:
    value = draft.value
    if is_null(value) or is_boolean(value):
        if is_boolean(value) and not draft.reader.boolean(value, "`exit`"):
            raise draft.reader.refuse(value, "A step `exit: false` does nothing.", ("exit: true", "exit: REASON"))
        return model.Exit(**draft.common)
    return model.Exit(reason=draft.reader.string(value, "`exit`"), **draft.common)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of step is read, and which options it has besides `id` and `exit`."""

    read: Callable[[Draft], Step]
    options: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {
    "email": Kind(_send(model.Email), STEP_OPTIONS),
    "sms": Kind(_send(model.Sms), TEXT_OPTIONS),
    "webhook": Kind(_webhook, ("store", "if")),
    "wait": Kind(_wait),
    "wait_for": Kind(_wait_for, ("any", "up_to", "timeout")),
    "branch": Kind(_branch, ("paths",)),
    "split": Kind(_split, ("paths", "winner")),
    "set": Kind(_set),
    "score": Kind(_score, ("name",)),
    "list": Kind(_list),
    "notify": Kind(_notify, ("message", "if")),
    "event": Kind(_event, ("properties",)),
    "journey": Kind(_journey),
    "repeat": Kind(_repeat, ("do",)),
    "exit": Kind(_exit),
}
