"""A contact's story with a journey, for people to read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import click

from engine.expr.explain import Explanation
from journeys.explain import Story
from journeys.explain.values import Entry, MessageStory, Refusal


def show_story(story: Story) -> None:
    """Print it."""
    live = f"version {story.live_version}" if story.live_version else "no version"
    click.echo(f"{story.contact} and {story.journey} ({story.state}, {live}): {story.verdict}")
    for entry in story.entries:
        click.echo("\n".join(_entry(entry)))
    for refusal in story.refusals:
        click.echo("\n".join(_refusal(refusal)))


def _entry(entry: Entry) -> Iterator[str]:
    arms = "".join(f", {split}: {arm}" for split, arm in entry.arms.items())
    reason = f" ({entry.reason})" if entry.reason else ""
    yield f"\nEntered {_at(entry.entered_at)} on version {entry.version}{arms}; {entry.status}{reason}"
    for step in entry.steps:
        detail = f"  {_values(step.detail)}" if step.detail else ""
        yield f"  {_at(step.at)}  {step.step or '–'}: {step.outcome}{detail}"
        for rule in step.rules:
            yield f"    {rule.what}, by the values of now:"
            yield from _rule(rule.explained, "      ")
    for message in entry.messages:
        yield from _message(message)
    for call in entry.calls:
        error = f" ({call.error})" if call.error else ""
        tries = f"{call.attempts} {'try' if call.attempts == 1 else 'tries'}"
        again = f", again at {_at(call.next_at)}" if call.next_at else ""
        yield f"  {call.step} to {call.to}: {call.state} after {tries}{error}{again}"
    if entry.waiting:
        waiting = entry.waiting
        yield f"  Now {waiting.phase} at {waiting.step}, until {_at(waiting.deadline or waiting.wakes_at)}"
    for rule in entry.rules:
        yield f"  {rule.what}:"
        yield from _rule(rule.explained, "    ")


def _message(message: MessageStory) -> Iterator[str]:
    reason = f" ({message.reason})" if message.reason else ""
    yield f"  {message.channel} {message.content} of {message.step}: {message.state}{reason}"
    for gate in message.gates:
        yield f"    {gate.name}: {gate.verdict}  {_values(gate.seen)}".rstrip()
    if message.reply:
        yield f"    the server said: {message.reply}"


def _refusal(refusal: Refusal) -> Iterator[str]:
    at = f"{_at(refusal.at)}  " if refusal.at else ""
    yield f"\nNot entered: {at}{refusal.words}  {_values(refusal.seen or {})}".rstrip()
    if refusal.rule:
        yield from _rule(refusal.rule, "    ")


def _rule(rule: Explanation, indent: str) -> Iterator[str]:
    seen = {one.name: one.value for one in rule.seen}
    yield f"{indent}{'true ' if rule.verdict else 'false'}  {rule.rule}  {_values(seen)}".rstrip()
    for part in rule.parts:
        yield from _rule(part, indent + "    ")


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    return _at(value) if isinstance(value, dt.datetime) else "nothing" if value is None else str(value)


def _at(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
