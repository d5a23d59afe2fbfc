"""What a replay cannot know, in plain words: so much of it as bears on this draft."""

from __future__ import annotations

from collections.abc import Iterator

from engine.expr import Dependencies, ast, dependencies
from journeys.language import steps as language
from journeys.simulate.plan import Plan, rules_of

ALWAYS = (
    "People did what they did: messages of the draft change nothing about it.",
    "Events count at the time they happened, imported ones too.",
)


def notes(plan: Plan) -> list[str]:
    """Sentences, in a fixed order; the first ones hold of every simulation."""
    read = [dependencies(rule, plan.schema.aliases) for rule in rules_of(plan.program)]
    steps = list(plan.program.steps.values())
    return [*ALWAYS, *_of_history(plan, read), *_of_messages(plan, read), *_of_splits(steps), *_of_others(steps)]


def _of_history(plan: Plan, read: list[Dependencies]) -> Iterator[str]:
    dated = plan.journey.enter.date is not None or any(asked.dates for asked in plan.asked.values())
    zoned = any(asked.zone for asked in plan.asked.values())
    if dated or zoned or any(one.attributes for one in read):
        yield "Attributes, addresses and time zones are those of today, for what they were then is not kept."
    if any(asked.habits for asked in plan.asked.values()):
        yield "The best hours of contacts are those that their opens and clicks up to today tell."
    if plan.journey.enter.segment or any(one.segments for one in read):
        yield "Segments are as they were recorded: nobody was in one before it was made."
    if any(one.journeys for one in read):
        yield "`in journey` tells who was in the journey at the start of the span."


def _of_messages(plan: Plan, read: list[Dependencies]) -> Iterator[str]:
    watched = {verb for verb, event in ast.VERB_EVENTS.items() if any(event in one.events for one in read)}
    if watched:
        verbs = " and ".join(f"`{verb}`" for verb in ast.VERB_EVENTS if verb in watched)
        verb = "sees" if len(watched) == 1 else "see"
        yield f"Nobody opens, clicks or answers what was never sent: {verbs} {verb} only what really happened."
    sends = plan.program.sends.values()
    if any(send.expires for send in sends):
        yield "Mail servers take every message at once: none expires that no quiet hours hold."
    if any(one.caps or one.quiet for one in plan.pressure.values()):
        yield "The workspace's caps and quiet hours are those of today."
    if any(one.own or one.caps for one in plan.pressure.values()):
        yield "Caps count what other journeys and campaigns really sent, even where the draft would have sent first."
    if any(send.fallback for send in sends):
        yield "No message bounces: a fallback is taken by those only who cannot be written to."
    if any(isinstance(step, language.Sms) for step in plan.program.steps.values()):
        yield "An SMS costs one part, however long it is."


def _of_splits(steps: list[language.Step]) -> Iterator[str]:
    for step in steps:
        if isinstance(step, language.Split) and step.winner and step.winner.measure == "clicks":
            yield f"The split `{step.id}` keeps its shares: nobody clicks what was never sent, so clicks choose no arm."


def _of_others(steps: list[language.Step]) -> Iterator[str]:
    if any(isinstance(step, language.Webhook | language.Notify) for step in steps):
        yield "No program is called and no note is sent; nobody waits for a response."
    if any(isinstance(step, language.StartJourney | language.Emit) for step in steps):
        yield "What other journeys would do about it is not replayed."
