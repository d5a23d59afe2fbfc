"""A contact's story with a journey, for people to read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from engine.expr.explain import Explanation
from journeys.explain import Story
from journeys.explain.campaigns import CampaignStory
from journeys.explain.values import Entry, MessageStory, Refusal
from journeys.explain.words import CHOSEN_BY, answer, in_words, moment, name, question, refused_first, told


def show_story(story: Story, zone: dt.tzinfo = dt.UTC) -> None:
    """Print it, with instants in `zone`."""
    live = f"version {story.live_version}" if story.live_version else "no version"
    click.echo(f"{story.contact} and {story.journey} ({story.state}, {live}): {story.verdict}")
    for entry in story.entries:
        click.echo("\n".join(_entry(entry, zone)))
    for refusal in story.refusals:
        click.echo("\n".join(_refusal(refusal, zone)))


def show_campaign_story(story: CampaignStory, zone: dt.tzinfo = dt.UTC) -> None:
    """Print it, with instants in `zone`."""
    click.echo(f"{story.contact} and {story.campaign} ({story.state}): {story.verdict}")
    note = "; the contact was changed since, and attributes are those of today" if story.changed else ""
    for rule in story.rules:
        click.echo(f"\n{rule.what}, as of {moment(story.as_of, zone)}{note}:")
        click.echo("\n".join(_rule(rule.explained, "  ", zone)))
    if story.at is not None:
        best = f", the best hour by {CHOSEN_BY[story.best_hour]}" if story.best_hour else ""
        click.echo(f"\nVariant {story.variant or '–'}, from {moment(story.at, zone)} on{best}")
    if story.converted_at is not None:
        click.echo(f"Met the goal {moment(story.converted_at, zone)}, worth {story.value}")
    if story.message is not None:
        click.echo("\n".join(_message(story.message, zone)))


def _entry(entry: Entry, zone: dt.tzinfo) -> Iterator[str]:
    arms = "".join(f", {split}: {arm}" for split, arm in entry.arms.items())
    reason = f" ({entry.reason})" if entry.reason else ""
    yield f"\nEntered {moment(entry.entered_at, zone)} on version {entry.version}{arms}; {entry.status}{reason}"
    for step in entry.steps:
        detail = f"  {_values(in_words(step.detail), zone)}" if step.detail else ""
        yield f"  {moment(step.at, zone)}  {step.step or '–'}: {step.outcome.replace('_', ' ')}{detail}"
        for rule in step.rules:
            yield f"    {rule.what}, by the values of now:"
            yield from _rule(rule.explained, "      ", zone)
    for message in entry.messages:
        yield from _message(message, zone)
    for call in entry.calls:
        error = f" ({call.error})" if call.error else ""
        tries = f"{call.attempts} {'try' if call.attempts == 1 else 'tries'}"
        again = f", again at {moment(call.next_at, zone)}" if call.next_at else ""
        yield f"  {call.step} to {call.to}: {call.state} after {tries}{error}{again}"
    if entry.waiting:
        waiting = entry.waiting
        yield f"  Now {waiting.phase} at {waiting.step}, until {moment(waiting.deadline or waiting.wakes_at, zone)}"
    for rule in entry.rules:
        yield f"  {rule.what}:"
        yield from _rule(rule.explained, "    ", zone)


def _message(message: MessageStory, zone: dt.tzinfo) -> Iterator[str]:
    reason = f" ({message.reason})" if message.reason else ""
    yield f"  {message.channel} {message.content} of {message.step}: {message.state}{reason}"
    if message.language:
        yield f"    in {message.language}{': ' if message.because else ''}{message.because}"
    for gate in refused_first(message.gates):
        yield f"    {question(gate)} {answer(gate)}  {_values(gate.seen, zone)}".rstrip()
    if message.reply:
        yield f"    the server said: {message.reply}"


def _refusal(refusal: Refusal, zone: dt.tzinfo) -> Iterator[str]:
    at = f"{moment(refusal.at, zone)}  " if refusal.at else ""
    yield f"\nNot entered: {at}{refusal.words}  {_values(refusal.seen or {}, zone)}".rstrip()
    if refusal.rule:
        yield from _rule(refusal.rule, "    ", zone)


def _rule(rule: Explanation, indent: str, zone: dt.tzinfo) -> Iterator[str]:
    seen = {one.name: one.value for one in rule.seen}
    yield f"{indent}{'yes' if rule.verdict else 'no '}  {rule.rule}  {_values(seen, zone, str)}".rstrip()
    for part in rule.parts:
        yield from _rule(part, indent + "    ", zone)


def _values(values: Mapping[str, Any], zone: dt.tzinfo, names: Callable[[str], str] = name) -> str:
    return ", ".join(f"{names(key)} = {told(value, zone)}" for key, value in values.items())
