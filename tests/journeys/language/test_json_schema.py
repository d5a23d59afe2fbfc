"""The JSON Schema that editors use: whatever reads is valid, and common mistakes are not."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from journeys.language.json_schema import journey_schema
from journeys.language.kinds import KINDS
from journeys.language.naming import with_ids
from journeys.language.parse import parse

ROOT = Path(__file__).parents[3]
VALIDATOR = Draft202012Validator(journey_schema())
FRAME = "journey: x\nenter: {on: A}\nsteps:\n"
STEPS = {
    "email": "{email: a, id: a, if: x is 1, at: 09:30, quiet: none, cap: 3 per week, expires: 1 day, topic: t}",
    "sms": "{sms: a, fallback: [{exit: true}]}",
    "webhook": "{webhook: a/b, store: crm.id, if: x is 1}",
    "wait": "{wait: until monday 09:30}",
    "wait_for": "{wait_for: did A, up_to: 3 days, timeout: [{exit: late}]}",
    "branch": "{branch: Kind, paths: [{when: x is 1, do: []}, {else: null, do: [{exit: true}]}]}",
    "split": "{split: Half, paths: [{share: 50%, name: first}, {share: 1/2, do: []}], winner: clicks after 3 days}",
    "set": "{set: {a.b: [1, x], c: null}}",
    "score": "{score: -5, name: heat}",
    "list": "{list: {add: vip, remove: [a, b]}}",
    "notify": "{notify: a@b.example, message: Look}",
    "event": "{event: Nudged, properties: {n: 1}}",
    "journey": "{journey: other}",
    "repeat": "{repeat: 3 times, do: [{wait: 1 day}]}",
    "exit": "{exit: enough}",
}


def errors(text: str) -> list[Any]:
    return [error.message for error in VALIDATOR.iter_errors(YAML(typ="safe", pure=True).load(text))]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(journey_schema())
    assert STEPS.keys() == KINDS.keys()


@pytest.mark.parametrize("path", sorted((ROOT / "journeys" / "library").glob("*.yaml")), ids=lambda path: path.stem)
def test_stock_journeys_are_valid(path: Path) -> None:
    assert errors(path.read_text("utf-8")) == []


@pytest.mark.parametrize("kind", STEPS)
def test_each_kind_with_all_its_options_is_valid(kind: str) -> None:
    text = f"{FRAME}  - {STEPS[kind]}\n"
    assert parse(with_ids(text))
    assert errors(text) == []


def test_everything_around_the_steps_is_valid() -> None:
    text = """\
journey: x
title: T
enter: {segment: vip, where: email is set, again: after 3 days, existing: true}
holdout: 10%
goal: {when: purchased, within: 3 days, value: 25, stay: true}
exit: did "A"
send: {topic: news, quiet: 21:00-08:00, cap: 1 per day}
steps: [{exit: true, id: e}]
moved: [{from: old, to: e}]
layout: {e: [1, 2]}
tests: [{name: t, contact: {a: 1}, events: [{at: start, event: A, properties: {b: 2}}], expect: {path: [e]}}]
"""
    assert parse(text)
    assert errors(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "journey: x\nsteps: [{exit: true}]\n",
        "journey: x\nenter: {on: A, segment: b}\nsteps: [{exit: true}]\n",
        "journey: x\nenter: {on: A}\nsteps: []\n",
        "journey: x\nenter: {on: A}\nsteps: [{exit: true}]\nextra: 1\n",
        f"{FRAME}  - {{mail: a}}\n",
        f"{FRAME}  - {{wait: 1 day, up_to: 3 days}}\n",
        f"{FRAME}  - {{email: a, wait: 1 day}}\n",
        f"{FRAME}  - {{split: A, paths: [{{do: []}}]}}\n",
        f"{FRAME}  - {{set: {{}}}}\n",
    ],
)
def test_common_mistakes_are_not(text: str) -> None:
    assert errors(text)


def test_the_package_carries_the_schema_as_a_file() -> None:
    file = resources.files("journeys.language").joinpath("journey-v1.json")
    assert json.loads(file.read_text("utf-8")) == journey_schema(), "write it anew: see docs/architecture.md"
