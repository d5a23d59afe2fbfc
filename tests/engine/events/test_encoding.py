"""Documents are encoded quickly where that is exact, and refused whichever way they are encoded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.events import encoding

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner))


@given(st.dictionaries(st.text(st.characters()), values, min_size=1))
def test_both_ways_agree(value: dict[str, Any]) -> None:
    quick = encoding._quickly(value)
    if quick is None:
        return
    assert repr(json.loads(quick)) == repr(json.loads(encoding._strictly(value, "properties")))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\0", "\ud800", {1}, b"bytes", "x" * 100_001])
def test_what_cannot_be_stored_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput):
        encoding.encode({"a": [value]}, "properties")


def test_numbers_of_any_size_and_null_keep_their_value() -> None:
    value = {"large": 2**80, "nothing": None, "text": "null", "escaped": "\\u0000"}
    assert json.loads(encoding.encode(value, "properties")) == value
