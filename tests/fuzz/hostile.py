"""Strategies that all doors share: hostile texts, hostile JSON, mutations of what is valid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

SPECIAL = (
    "", " ", "\0", "a\0b", "\ufeff", "\u202e", "\u2028", "\x1b[0m", "\r\n", "\n", "\t", "%00", "..", "../../etc/passwd",
    "//[", "//evil.example", "javascript:alert(1)", "<script>", "{{ 7 * 7 }}", "{% raw %}", "${7*7}", "'", '"', "\\",
    "' or 1=1 --", "%s%n", "=1+1", "-1", "0", "00", "1e309", "NaN", "Infinity", "null", "true", "٣", "²", "１２",
    "9" * 19, "9" * 400, "2026-02-30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "24:00", "ı", "İ", "ß",
    "\U0001f469\u200d\U0001f680", "e" + "\u0301" * 40, "\ufffd", "\U0010ffff", "x" * 3000, "é" * 3000, "(" * 300,
    "[" * 300, "." * 300, "a." * 150, "=?utf-8?b?a?=", "=?utf-7?q?+2AA-?=", "=?idna?q?a?=", "a@b", "\"a b\"@x.y",
)  # fmt: skip

plain = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
texts = st.one_of(st.sampled_from(SPECIAL), plain, st.tuples(plain, st.sampled_from(SPECIAL), plain).map("".join))
"""Text that UTF-8 can carry: control characters, signs that mean something elsewhere, long runs, odd scripts."""

broken = st.text(max_size=30)
"""Any text, lone surrogates with it."""

long_names = st.builds(lambda seed, size: _noise(seed, size), st.integers(0, 9), st.sampled_from((199, 201, 3000)))
"""Names that no index compresses."""

numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from((0, -1, 2**31, 2**63, -(2**63) - 1, 10**40, 10**4000, 1e308, -0.0, 5e-324, 1.0e22)),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts, broken)


def _noise(seed: int, size: int) -> str:
    return "".join(chr(0x4E00 + (seed + 1) * number * number * 7919 % 20_000) for number in range(size))


def deep(levels: int) -> Any:
    """A list in a list in a list."""
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


names = st.one_of(texts, long_names, st.sampled_from(("a.b", ".", "id", "email", "items", "company.name")))
values = st.recursive(
    st.one_of(scalars, st.sampled_from((31, 33, 101)).map(deep)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)
"""JSON values and some that are none: NaN, infinities, halves of surrogate pairs."""


def mutated(corpus: Sequence[str], pieces: Sequence[str]) -> st.SearchStrategy[str]:
    """Texts of the corpus with some stretches cut, doubled, swapped for `pieces`, or taken over from another text."""
    return st.builds(
        _mutate,
        st.sampled_from(list(corpus)),
        st.lists(
            st.tuples(
                st.floats(0, 1),
                st.integers(0, 30),
                st.one_of(
                    st.sampled_from(list(pieces)),
                    st.sampled_from(SPECIAL),
                    st.builds(_slice, st.sampled_from(list(corpus)), st.floats(0, 1), st.integers(1, 60)),
                ),
                st.sampled_from((1, 1, 1, 2, 50)),
            ),
            min_size=1,
            max_size=4,
        ),
    )


def _slice(text: str, at: float, size: int) -> str:
    begin = int(at * len(text))
    return text[begin : begin + size]


def _mutate(text: str, changes: Sequence[tuple[float, int, str, int]]) -> str:
    for at, gone, piece, times in changes:
        begin = int(at * len(text))
        text = text[:begin] + piece * times + text[begin + gone :]
    return text


def mutated_bytes(corpus: Sequence[bytes], pieces: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """The same for bytes."""
    texts = mutated([data.decode("latin-1") for data in corpus], [piece.decode("latin-1") for piece in pieces])
    return texts.map(lambda text: text.encode("latin-1", "replace"))
