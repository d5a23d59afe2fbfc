"""A rule in plain English, for people who read it aloud."""

from __future__ import annotations

from engine.expr import ast
from engine.expr.unparse import write_duration, write_number

_SIGNS = {
    "is": "is", "is not": "is not", ">": "is more than", ">=": "is at least", "<": "is less than", "<=": "is at most",
    "is before": "is before", "is after": "is after", "contains": "contains", "not contains": "does not contain",
    "starts with": "starts with", "not starts with": "does not start with", "ends with": "ends with",
    "not ends with": "does not end with", "matches": "matches the pattern", "not matches": "does not match the pattern",
}  # fmt: skip
_VERBS = {
    "opened": "opened", "clicked": "clicked in", "received": "received", "replied": "replied to",
    "unsubscribed": "unsubscribed by",
}  # fmt: skip
_DATED = {">": "is after", ">=": "is on or after", "<": "is before", "<=": "is on or before"}
_FUNCTIONS = {
    "sum": "sum of ", "count": "number of ", "average": "average ", "min": "smallest ", "max": "largest ",
}  # fmt: skip


def english(node: ast.Node) -> str:
    """One sentence without a full stop. Joined conditions of different kinds stand in brackets."""
    match node:
        case ast.And(items):
            return ", and ".join(_inside(item) for item in items)
        case ast.Or(items):
            return ", or ".join(_inside(item) for item in items)
        case ast.Not(item):
            return _denied(item)
        case ast.Did() | ast.Message() | ast.Sequence():
            return _behaviour(node)
        case ast.Membership(kind, slug):
            return f"is {'on' if kind == 'list' else 'in'} the {kind} {_quote(slug)}"
        case ast.Subscribed(topic, channel):
            return f"is subscribed to {_quote(topic)} by {_channel(channel)}"
        case ast.Consents(channel):
            return f"agrees to get {_channel(channel)}"
    return _comparison(node)


def _inside(node: ast.Node) -> str:
    return f"({english(node)})" if isinstance(node, (ast.And, ast.Or)) else english(node)


def _denied(node: ast.Node) -> str:
    """Brackets show how far a denial reaches, where it does not fit into the sentence."""
    said = english(node)
    match node:
        case ast.Not(item):
            return english(item)
        case ast.Did(count=None, never=False) | ast.Message(count=None, never=False):
            return said.replace("has ", "has not ", 1)
        case ast.Membership() | ast.Subscribed():
            return said.replace("is ", "is not ", 1)
        case ast.Consents():
            return said.replace("agrees ", "does not agree ", 1)
        case ast.Comparison(left, "is" | "is not" as operator, right):
            return _comparison(ast.Comparison(left, "is" if operator == "is not" else "is not", right))
        case ast.InList(value, items, negated):
            return _comparison(ast.InList(value, items, not negated))
        case ast.IsSet(value, negated):
            return _comparison(ast.IsSet(value, not negated))
    return f"it is not true that ({said})"


def _quote(text: str) -> str:
    """On one line, as the whole sentence."""
    shown = text.replace("\n", "\\n").replace("\t", "\\t")
    return f"“{shown}”"


def _channel(channel: str) -> str:
    return "SMS" if channel == "sms" else channel


def _behaviour(node: ast.Behaviour) -> str:
    match node:
        case ast.Did(event, where, count, window, never):
            done = f"has {'never ' * never}{_done(event)}"
            return "".join([done, _where(where), _count(count), _window(window)])
        case ast.Message(verb, content, step, count, window, never):
            about = f"the message of step {_quote(step)}" if step is not None else _quote(content or "")
            named = about if step is not None or content is not None else "a message"
            done = f"had {named} bounce" if verb == "bounced" else f"{_VERBS[verb]} {named}"
            return "".join([f"has {'never ' * never}{done}", _count(count), _window(window)])
        case ast.Sequence(first, link, second, within, window):
            start = f"has {_done(first.event)}{_where(first.where)}{_window(window)}"
            then = "and then" if link == "then" else "but not"
            return f"{start} {then} {_done(second.event)}{_where(second.where)} within {write_duration(within)} of it"


def _done(event: ast.EventName) -> str:
    return event.name.replace("_", " ") if event.alias else f"done {_quote(event.name)}"


def _where(where: ast.Node | None) -> str:
    return f" where {_inside(where)}" if where is not None else ""


def _count(count: ast.Count | None) -> str:
    if count is None:
        return ""
    number = {1: "once", 2: "twice"}.get(count.times, f"{count.times} times")
    return f" {count.bound} {number}"


def _window(window: ast.Window | None) -> str:
    match window:
        case ast.Last(duration):
            return f" in the last {_span(duration)}"
        case ast.Since(date):
            return f" since {_date(date)}"
        case ast.Before(date):
            return f" before {_date(date)}"
        case ast.BetweenDates(first, last):
            return f" from {_date(first)} to {_date(last)}"
        case ast.SinceEntry():
            return " since entering the journey"
        case ast.SinceStep():
            return " since reaching this step"
        case ast.Ever():
            return " at any time"
    return ""


def _span(duration: ast.Duration) -> str:
    """After `the`: `the last day`, `the last 2 days`."""
    return duration.unit if duration.amount == 1 else write_duration(duration)


def _date(value: ast.DateValue) -> str:
    day = f"{value.value.day} {value.value.strftime('%B')} {value.value.year}"
    return day if isinstance(value, ast.Date) else f"{day} {value.value.strftime('%H:%M')}{_offset(value)}"


def _offset(value: ast.Moment) -> str:
    offset = value.value.strftime("%z")
    return "" if not offset else " UTC" if offset == "+0000" else f" UTC{offset[:3]}:{offset[3:]}"


def _comparison(node: ast.Comparing) -> str:
    match node:
        case ast.Comparison(left, operator, right):
            dated = isinstance(left, ast.Date | ast.Moment) or isinstance(right, ast.Date | ast.Moment)
            sign = _DATED.get(operator, _SIGNS[operator]) if dated else _SIGNS[operator]
            return f"{_value(left)} {sign} {_value(right)}"
        case ast.Between(value, low, high, negated):
            return f"{_value(value)} is {'not ' * negated}between {_value(low)} and {_value(high)}"
        case ast.InList(value, items, negated):
            listed = ", ".join(_value(item) for item in items) or "no values"
            return f"{_value(value)} is {'not ' * negated}{'one of ' * (len(items) != 1)}{listed}"
        case ast.IsSet(value, negated):
            return f"{_value(value)} is {'not known' if negated else 'known'}"
        case ast.IsWithin(value, direction, duration, negated):
            return f"{_value(value)} is {'not ' * negated}within the {direction} {_span(duration)}"
        case ast.Ago(value, bound, duration):
            return f"{_value(value)} is {bound} than {write_duration(duration)} ago"
        case ast.AnyItem(path, condition):
            return f"among {_value(path)} there is one where {_inside(condition)}"


def _value(value: ast.Value) -> str:
    match value:
        case ast.Text(text):
            return _quote(text)
        case ast.Number(number):
            return write_number(number)
        case ast.Boolean(truth):
            return "true" if truth else "false"
        case ast.Date() | ast.Moment():
            return _date(value)
        case ast.Path(parts, root):
            name = " ".join(part.replace("_", " ") for part in parts)
            return {"event": f"the event's {name}", "contact": f"the contact's {name}"}.get(root, name)
        case ast.Aggregate():
            return _aggregate(value)


def _aggregate(value: ast.Aggregate) -> str:
    where = f" {_done(value.event)}".replace(" done ", " ") + _where(value.where) + _window(value.window)
    name = " ".join(value.path.parts).replace("_", " ")
    if value.function in ("first", "last"):
        return f"the {name} of the {value.function}{where}"
    return f"the {_FUNCTIONS[value.function]}{name} over{where}"
