"""What authors mean by words of other tools, and how the parts of a file are written."""

from __future__ import annotations

from collections.abc import Collection

from journeys.language.problems import did_you_mean

_MEANT = {
    "delay": "wait", "pause": "wait", "sleep": "wait", "wait_until": "wait_for", "wait_event": "wait_for",
    "if": "branch", "condition": "branch", "decision": "branch", "switch": "branch", "ab": "split", "ab_test": "split",
    "experiment": "split", "mail": "email", "send": "email", "text": "sms", "tag": "list", "update": "set",
    "attribute": "set", "stop": "exit", "end": "exit", "loop": "repeat", "http": "webhook", "call": "webhook",
    "then": "do", "steps": "do", "trigger": "enter", "start": "enter", "name": "journey", "timezone": "quiet",
    "deadline": "up_to", "until": "up_to", "condition_rule": "when", "rule": "when", "event": "on", "weight": "share",
    "percent": "share", "percentage": "share", "label": "title",
}  # fmt: skip
_POINTERS = frozenset(["next", "goto", "go_to", "then_go_to"])
_EXAMPLES = {
    "A journey": "Start with `journey: NAME`.",
    "`enter`": "Write `enter: {on: EVENT}`.",
    "`goal`": "Write `goal: {when: RULE}`.",
    "`send`": "Write `send: {topic: TOPIC}`.",
    "`list`": "Write `list: {add: LIST}`.",
    "`set`": "Write `set: {ATTRIBUTE: VALUE}`.",
    "`layout`": "Write `layout: {ID: [X, Y]}`.",
    "A step": "Write `- email: CONTENT`, or another kind.",
    "A path": "Write `- when: RULE` and below it `do:`.",
    "An arm of a split": "Write `- share: 50%` and below it `do:`.",
    "A rule of `any`": "Write `- when: RULE` and below it `do:`.",
}  # fmt: skip


def for_key(key: str, allowed: Collection[str]) -> tuple[str, str]:
    """The key that was probably meant, or "", and the hint."""
    if key.lower() in _POINTERS:
        return "", "Steps follow each other from top to bottom; nothing points to the next one."
    if key == "from" and "sms" in allowed:
        return "", "The gateway's setting says from which number or name texts come."
    meant = _MEANT.get(key.lower(), "")
    hint = f"Did you mean `{meant}`?" if meant in allowed else did_you_mean(key, allowed)
    return (hint.split("`")[1] if hint else ""), hint


def for_block(what: str) -> str:
    """How a part that holds `key: value` lines is written."""
    return _EXAMPLES.get(what, "Write `key: value` lines, each on a line of its own.")
