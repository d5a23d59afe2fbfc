"""Whether an event or a message lies in a window, and when that changes."""

from __future__ import annotations

import datetime as dt

from engine.expr import ast, literals
from engine.expr.durations import next_crossing, shift
from engine.expr.facts import ALWAYS, NEVER, EventFact, MessageFact, Verdict
from engine.expr.values import View


def in_window(fact: EventFact, window: ast.Window | None, view: View) -> Verdict:
    """Events after `now` do not count yet."""
    if isinstance(window, ast.SinceEntry):
        entry = view.facts.entry
        static = entry is not None and (fact.occurred_at, fact.received_at, fact.message_id) > entry
    elif isinstance(window, ast.SinceStep):
        static = view.facts.step_since is not None and fact.occurred_at > view.facts.step_since
    else:
        return _in_dates(fact.occurred_at, window, view)
    return _until_now(fact.occurred_at, static, view)


def message_in_window(fact: MessageFact, window: ast.Window | None, view: View) -> Verdict:
    """What the entry itself sent counts as since entry, even in the same instant."""
    if isinstance(window, ast.SinceEntry):
        static = view.facts.entry is not None and fact.accepted_at >= view.facts.entry[0]
    elif isinstance(window, ast.SinceStep):
        static = view.facts.step_since is not None and fact.accepted_at > view.facts.step_since
    else:
        return _in_dates(fact.accepted_at, window, view)
    return _until_now(fact.accepted_at, static, view)


def _until_now(moment: dt.datetime, static: bool, view: View) -> Verdict:
    if not static:
        return NEVER
    return ALWAYS if moment <= view.now else Verdict(False, moment)


def _in_dates(moment: dt.datetime, window: ast.Window | None, view: View) -> Verdict:
    match window:
        case ast.Last(duration):
            return _in_last(moment, duration, view)
        case ast.Since(date):
            return _until_now(moment, moment >= literals.bounds(date, view.zone)[0], view)
        case ast.Before(date):
            return _until_now(moment, moment < literals.bounds(date, view.zone)[0], view)
        case ast.BetweenDates(first, last):
            start, end = literals.bounds(first, view.zone)[0], literals.bounds(last, view.zone)[1]
            return _until_now(moment, start <= moment < end, view)
    return _until_now(moment, True, view)


def _in_last(moment: dt.datetime, duration: ast.Duration, view: View) -> Verdict:
    if moment > view.now:
        return Verdict(False, moment)
    inside = shift(view.now, duration, -1) <= moment
    return Verdict(inside, next_crossing(moment, view.now, duration, -1, True))
