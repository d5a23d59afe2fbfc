"""Rules for property tests: any tree the grammar can write, over the words of `population`."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import strategies as st

from engine.expr import ast
from tests.engine.expr import population as town

names = st.sampled_from(
    [("plan",), ("seats",), ("trial_ends_at",), ("vip",), ("tags",), ("company", "seats"), ("company",), ("items",),
     ("opened",), ("last_seen_at",), ("email",), ("phone",), ("locale",), ("created_at",), ("missing",), ("email", "x"),
     (town.ODD,), ("company", town.ODD)]
)  # fmt: skip
property_names = st.sampled_from(
    [("total",), ("plan",), ("at",), ("items",), ("seats",), ("missing",), ("items", "x"), (town.ODD,)]
)
texts = st.sampled_from([*town.TEXTS, "ann@acme.com", "@ACME.com", "A", "i", "2026-03-31"]).map(ast.Text)
numbers = st.sampled_from(["0", "5", "10", "-3", "12.5", "0.1", "100000000000000000000", "7.25"]).map(
    lambda text: ast.Number(Decimal(text))
)
booleans = st.booleans().map(ast.Boolean)
days = st.sampled_from(["2026-03-31", "2026-03-30", "2026-02-28", "2024-02-29", "2026-04-03", "9999-12-31"])
dates = days.map(lambda text: ast.Date(dt.date.fromisoformat(text)))
instants = st.sampled_from(["2026-03-31T12:00:00+00:00", "2026-03-31T12:00:00", "2026-03-30T23:30:00-05:00"]).map(
    lambda text: ast.Moment(dt.datetime.fromisoformat(text))
)
date_values = dates | instants
literals = texts | numbers | booleans | date_values
units = st.sampled_from(["minute", "hour", "day", "week", "month", "year"])
durations = st.builds(ast.Duration, st.sampled_from([0, 1, 2, 7, 28, 30, 31]), units)
windows = st.one_of(
    st.none(),
    st.builds(ast.Last, durations),
    st.builds(ast.Since, date_values),
    st.builds(ast.Before, date_values),
    st.builds(ast.BetweenDates, date_values, date_values),
    st.just(ast.SinceEntry()),
    st.just(ast.SinceStep()),
    st.just(ast.Ever()),
)
counts = st.none() | st.builds(ast.Count, st.sampled_from(["at least", "at most", "exactly"]), st.integers(0, 3))
events = st.builds(ast.EventName, st.sampled_from(["A", "B", "Order Completed", "Nothing"]), st.just(False)) | st.just(
    ast.EventName("purchased", True)
)
signs = st.sampled_from(
    ["is", "is not", ">", ">=", "<", "<=", "is before", "is after", "contains", "not contains", "starts with",
     "not starts with", "ends with", "not ends with"]
)  # fmt: skip
patterns = st.sampled_from(["^p", "[a-z]+", "^[0-9]+$", "o(?: p|$)", "", "a.b", r"\d{1,2}\.", "^$", "(?:pro|free)$"])


def comparing(values: st.SearchStrategy[ast.Value], paths: st.SearchStrategy[ast.Path]) -> st.SearchStrategy[ast.Node]:
    """Any comparison of fields."""
    either = st.booleans()
    return st.one_of(
        st.builds(ast.Comparison, values, signs, values),
        st.builds(ast.Comparison, paths, signs, literals),
        st.builds(
            ast.Comparison,
            paths,
            st.sampled_from(["matches", "not matches"]),
            patterns.map(lambda text: ast.Text(text)),
        ),
        st.builds(ast.Between, values, values, values, either),
        st.builds(ast.Between, paths, numbers, numbers, either),
        st.builds(ast.InList, values, st.lists(literals, min_size=1, max_size=4).map(tuple), either),
        st.builds(ast.IsSet, values, either),
        st.builds(ast.IsWithin, values, st.sampled_from(["next", "last"]), durations, either),
        st.builds(ast.Ago, values, st.sampled_from(["more", "less"]), durations),
    )


def joined(leaves: st.SearchStrategy[ast.Node], size: int) -> st.SearchStrategy[ast.Node]:
    """And, or, not over the leaves."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda items: ast.And(tuple(items))),
            st.lists(inner, min_size=2, max_size=3).map(lambda items: ast.Or(tuple(items))),
            inner.map(ast.Not),
        ),
        max_leaves=size,
    )


def _inside() -> st.SearchStrategy[ast.Node]:
    own = st.builds(ast.Path, property_names)
    paths = st.one_of(
        own, own, st.builds(ast.Path, names, st.just("contact")), st.builds(ast.Path, property_names, st.just("event"))
    )
    plain = joined(comparing(paths | literals, paths), 2)
    items = st.builds(ast.AnyItem, st.builds(ast.Path, st.just(("items",))), plain)
    return joined(comparing(paths | literals, paths) | items, 3)


inside = _inside()
wheres = st.none() | inside
contact_paths = st.builds(ast.Path, names) | st.builds(ast.Path, names, st.just("contact"))
trigger_paths = st.builds(ast.Path, property_names, st.just("event"))
aggregates = st.builds(
    ast.Aggregate,
    st.sampled_from(["sum", "count", "average", "min", "max", "last", "first"]),
    st.builds(ast.Path, property_names),
    events,
    wheres,
    windows,
)
paths = st.one_of(contact_paths, contact_paths, trigger_paths)
values = st.one_of(paths, literals, aggregates)
message_names = st.sampled_from([(None, None), ("welcome", None), (None, "hello")])
messages = st.builds(
    lambda verb, about, count, window, never: ast.Message(verb, *about, None if never else count, window, never),
    st.sampled_from(["opened", "clicked", "received", "unsubscribed", "bounced"]),
    message_names,
    counts,
    windows,
    st.booleans(),
)
did = st.builds(
    lambda event, where, count, window, never: ast.Did(event, where, None if never else count, window, never),
    events, wheres, counts, windows, st.booleans(),
)  # fmt: skip
occurrences = st.builds(ast.Occurrence, events, wheres)
sequences = st.builds(ast.Sequence, occurrences, st.sampled_from(["then", "without"]), occurrences, durations, windows)
memberships = st.builds(
    ast.Membership, st.sampled_from(["segment", "list", "journey"]), st.sampled_from(["vip", "trial", "no"])
)
consents = st.one_of(
    st.builds(ast.Subscribed, st.sampled_from(["news", "offers", "no"]), st.sampled_from(["email", "sms"])),
    st.builds(ast.Consents, st.sampled_from(["email", "sms", "push"])),
)
any_items = st.builds(ast.AnyItem, paths, inside)
leaves = st.one_of(did, did, messages, sequences, memberships, consents, comparing(values, paths), any_items)
rules = joined(leaves, 4)
