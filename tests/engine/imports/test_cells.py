"""What becomes a number, and which encodings are read."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.imports import cells
from engine.imports.reading import detect, opened


@pytest.mark.parametrize("cell", ["0", "7", "-3", "12.50", "0.05", "-0.5", "999999999999999", "0.00"])
def test_canonical_numbers_become_numbers_as_they_are_written(cell: str) -> None:
    assert cells.encoded(cell) == (cell, "number")


@pytest.mark.parametrize(
    "cell",
    ["007", "1e5", "+1", "-0", "-0.0", ".5", "5.", "1,000", "1234567890123456", "0.1234567890123456", "1 2", " 1", "１",
     "NaN", "Infinity", "0x1", "--1", "-", "True", "x"],
)  # fmt: skip
def test_everything_else_stays_text(cell: str) -> None:
    assert cells.encoded(cell)[1] == "text" and json.loads(cells.encoded(cell)[0]) == cell


@given(st.text(min_size=1))
def test_a_cell_is_json_that_says_the_same(cell: str) -> None:
    value = json.loads(cells.encoded(cell)[0], parse_float=Decimal, parse_int=Decimal)
    if isinstance(value, bool):
        assert cell in cells.BOOLEANS
    else:
        assert str(value) == cell


def test_times_are_utc_unless_they_say_otherwise() -> None:
    assert cells.instant("1998-06-30") == dt.datetime(1998, 6, 30, tzinfo=dt.UTC)
    assert cells.instant("1998-06-30T12:00:00+02:00") == dt.datetime(1998, 6, 30, 10, tzinfo=dt.UTC)
    assert cells.instant(" 1998-06-30 12:00 ") == dt.datetime(1998, 6, 30, 12, tzinfo=dt.UTC)
    for wrong in ("", "1998-13-01", "30.06.1998", "1998-W20", "899164800", "1998-06-30T25:00"):
        with pytest.raises(InvalidInput):
            cells.instant(wrong)


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
     ("utf-16-be", "utf-16-be"), ("cp1252", "cp1252")],
)  # fmt: skip
def test_encodings_are_recognised(tmp_path: Path, encoding: str, found: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("external_id,name\n1,Jörg “Straße”\n2,ö\n".encode(encoding))
    assert detect(path) == found
    with opened(path) as table:
        assert table.header == ["external_id", "name"]
        [batch] = table.batches(10)
        assert [list(line.cells) for line in batch] == [["1", "Jörg “Straße”"], ["2", "ö"]]
