"""One line of English for a step, a trigger, a time: what the canvas, the outline and the log show."""

from __future__ import annotations

from journeys.language import steps as model
from journeys.language.durations import Duration
from journeys.language.steps import DateOffset, Enter, LocalTime, Step
from journeys.language.values import DAYS


def describe(step: Step) -> str:
    """The author's title, else what the step does."""
    if step.title:
        return step.title
    match step:
        case model.Email() | model.Sms():
            return step.content
        case model.Wait():
            return describe_time(step.until)
        case model.WaitFor():
            return describe_time(step.up_to)
        case model.Branch() | model.Split():
            return f"{len(step.paths)} paths"
        case model.Set():
            return ", ".join(f"{name} = {value}" for name, value in step.values)
        case model.Repeat():
            return f"{step.times} times"
        case model.Exit():
            return step.reason or "exit"
    return _describe_other(step)


def _describe_other(step: Step) -> str:
    match step:
        case model.Webhook():
            return step.webhook
        case model.Score():
            return f"{step.name} {step.points:+d}"
        case model.ListStep():
            return ", ".join([*(f"+{name}" for name in step.add), *(f"-{name}" for name in step.remove)])
        case model.Notify():
            return step.to
        case model.Emit():
            return step.event
        case model.StartJourney():
            return step.journey
    return step.kind


def describe_time(until: Duration | LocalTime | DateOffset) -> str:
    """`3 days`, `monday 09:30 contact`, `2 days before trial_ends_at`: as the author may write it."""
    if isinstance(until, LocalTime):
        days = " or ".join(DAYS[day] for day in until.weekdays)
        return " ".join(part for part in (days, f"{until.time:%H:%M}", until.zone) if part)
    if isinstance(until, DateOffset):
        side = "before" if until.before else "after"
        return until.path if until.duration is None else f"{until.duration} {side} {until.path}"
    return str(until)


def describe_enter(enter: Enter) -> str:
    """Who enters."""
    if enter.date is not None:
        return f"date {describe_time(enter.date)}"
    name = enter.event or enter.segment or enter.schedule
    return f"{enter.kind} {name}".strip()
