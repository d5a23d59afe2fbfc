"""The canonical text of a tree: `parse(unparse(node)) == node`."""

from __future__ import annotations

from decimal import Decimal

from engine.expr import ast, literals
from engine.expr.tokens import RESERVED

_WORDS_OF_START = RESERVED | {"nan", "inf", "infinity"}


def unparse(node: ast.Node) -> str:
    """Lower-case keywords, straight quotes, clauses in the order where, count, window; brackets only where needed.

    `is between` two dates tells a field from `purchased between` two dates.
    """
    match node:
        case ast.Or(items):
            return " or ".join(_inside(item, (ast.Or,)) for item in items)
        case ast.And(items):
            return " and ".join(_inside(item, (ast.Or, ast.And)) for item in items)
        case ast.Not(item):
            return "not " + _inside(item, (ast.Or, ast.And))
        case ast.Did() | ast.Message() | ast.Sequence():
            return _behaviour(node)
        case ast.Membership(kind, slug):
            return f"in {kind} {literals.write_text(slug)}"
        case ast.Subscribed(topic, channel):
            return f"subscribed to {literals.write_text(topic)} on {channel}"
        case ast.Consents(channel):
            return f"consents to {channel}"
    return _comparison(node)


def _inside(node: ast.Node, loose: tuple[type, ...]) -> str:
    return f"({unparse(node)})" if isinstance(node, loose) else unparse(node)


def _behaviour(node: ast.Behaviour) -> str:
    match node:
        case ast.Did(event, where, count, window, never):
            return " ".join(["never"] * never + [_subject(event)] + _clauses(where, count, window))
        case ast.Message(verb, content, step, count, window, never):
            about = [literals.write_text(content)] if content is not None else []
            about += ["step", literals.write_text(step)] if step is not None else []
            return " ".join(["never"] * never + [verb, *about] + _clauses(None, count, window))
        case ast.Sequence(first, link, second, within, window):
            left = [_subject(first.event), *_clauses(first.where, None, window), link]
            right = [_event(second.event), *_clauses(second.where, None, None), "within", write_duration(within)]
            return " ".join(left + right)


def _subject(event: ast.EventName) -> str:
    return _event(event) if event.alias else f"did {_event(event)}"


def _event(event: ast.EventName) -> str:
    return event.name if event.alias else literals.write_text(event.name)


def _clauses(where: ast.Node | None, count: ast.Count | None, window: ast.Window | None) -> list[str]:
    parts = [f"where ({unparse(where)})"] if where is not None else []
    parts += [f"{count.bound} {count.times} time{'s' * (count.times != 1)}"] if count else []
    return parts + ([write_window(window)] if window else [])


def write_duration(duration: ast.Duration) -> str:
    """`1 day`, `2 days`."""
    return f"{duration.amount} {duration.unit}{'s' * (duration.amount != 1)}"


def write_window(window: ast.Window) -> str:
    """A window as it stands in a rule."""
    match window:
        case ast.Last(duration):
            return f"in the last {write_duration(duration)}"
        case ast.Since(date):
            return f"since {literals.write_date(date)}"
        case ast.Before(date):
            return f"before {literals.write_date(date)}"
        case ast.BetweenDates(first, last):
            return f"between {literals.write_date(first)} and {literals.write_date(last)}"
        case ast.SinceEntry():
            return "since entry"
        case ast.SinceStep():
            return "since step"
        case ast.Ever():
            return "ever"


def _comparison(node: ast.Comparing) -> str:
    match node:
        case ast.Comparison(left, operator, right):
            return f"{write_value(left)} {operator} {write_value(right)}"
        case ast.Between(value, low, high, negated):
            verb = "is between" if isinstance(low, ast.Date | ast.Moment) and not negated else "between"
            return f"{write_value(value)} {'not ' * negated}{verb} {write_value(low)} and {write_value(high)}"
        case ast.InList(value, items, negated):
            listed = ", ".join(write_value(item) for item in items)
            return f"{write_value(value)} {'not ' * negated}in [{listed}]"
        case ast.IsSet(value, negated):
            return f"{write_value(value)} is {'not ' * negated}set"
        case ast.IsWithin(value, direction, duration, negated):
            return f"{write_value(value)} is {'not ' * negated}within the {direction} {write_duration(duration)}"
        case ast.Ago(value, bound, duration):
            return f"{write_value(value)} {bound} than {write_duration(duration)} ago"
        case ast.AnyItem(path, condition):
            return f"{write_value(path)} any ({unparse(condition)})"


def write_value(value: ast.Value) -> str:
    """A literal, a field or an aggregate as it stands in a rule; also the canonical form of a value rule."""
    match value:
        case ast.Text(text):
            return literals.write_text(text)
        case ast.Number(number):
            return write_number(number)
        case ast.Boolean(truth):
            return "true" if truth else "false"
        case ast.Date() | ast.Moment():
            return literals.write_date(value)
        case ast.Path(parts, root):
            return _path(parts, root)
        case ast.Aggregate(function, path, event, where, window):
            return " ".join(
                [f"{function} of", write_value(path), "over", _event(event), *_clauses(where, None, window)]
            )


def write_number(number: Decimal) -> str:
    """Without an exponent and without needless zeros, so that equal numbers read alike."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _path(parts: tuple[str, ...], root: str) -> str:
    first = literals.write_part(parts[0], frozenset() if root else _WORDS_OF_START)
    if not root and len(parts) > 1 and parts[0] in ("event", "contact"):
        first = f"`{parts[0]}`"
    return ".".join([*([root] if root else []), first, *(literals.write_part(part) for part in parts[1:])])
