"""CSV files of contacts and events. Bounds: 1 s a small file; 300 MB of memory and 30 s for one of forty megabytes."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.db import Database
from engine.errors import InvalidInput
from engine.imports.contacts import import_contacts
from engine.imports.events import import_events
from tests.conftest import drop, new_database
from tests.fuzz import hostile
from tests.fuzz.bounds import EFFORT, PATIENCE, fuzz, within

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
KINDS = {"contacts": import_contacts, "events": import_events}
HEADERS = {
    "contacts": ("external_id", "email", "anonymous_id", "phone", "timezone", "locale", "plan", "seats", "a.b"),
    "events": ("external_id", "email", "name", "occurred_at", "message_id", "total", "plan"),
}
CELLS = (
    "", "c1", "c2", "ann@example.com", "İ@x.org", "+14155552671", "Europe/Berlin", "en-US", "12", "-3.50", "007",
    "true",
    "FALSE", "2026-01-31", "2026-01-31T12:00:00Z", "31.12.2026", "9999-12-31", "0001-01-01",
    "2026-01-01T00:00:00+23:59",
    "[1,2]", '{"a":', "A", "Order Completed", "12345678901234567890", "1e400", "\x1a", "﹫",
)  # fmt: skip
cells = st.one_of(st.sampled_from(CELLS), st.sampled_from(CELLS), hostile.texts)
breaks = st.sampled_from(("\n", "\r\n", "\r"))
encodings = st.sampled_from(
    (("utf-8", b""), ("utf-8", codecs.BOM_UTF8), ("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE),
     ("utf-16-le", b""), ("utf-16-be", b""), ("cp1252", b""), ("latin-1", codecs.BOM_UTF8))
)  # fmt: skip
QUOTES = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)


@st.composite
def files(draw: st.DrawFn, kind: str) -> bytes:
    """A table with columns missing, doubled, renamed and swapped, ragged rows, mixed line ends, and some damage."""
    header = draw(st.permutations(HEADERS[kind]))
    header += draw(st.lists(st.sampled_from(("", "id", "plan", " email ", "note")) | hostile.names, max_size=2))
    lines = [_line(header, "\n")]
    for _ in range(draw(st.integers(0, 6))):
        size = len(header) + draw(st.sampled_from((0, 0, 0, 0, -1, 1)))
        row = draw(st.lists(cells, min_size=max(size, 0), max_size=max(size, 0)))
        lines.append(_line(row, draw(breaks), draw(st.sampled_from(QUOTES)), draw(st.sampled_from(",,,,,;\t"))))
    text = "".join(lines)
    for at, piece in draw(
        st.lists(st.tuples(st.floats(0, 1), st.sampled_from(('"', "\0", "\n", "\ufeff"))), max_size=2)
    ):
        text = text[: int(at * len(text))] + piece + text[int(at * len(text)) :]
    encoding, mark = draw(encodings)
    return mark + text.encode(encoding, "replace")


def _line(row: list[str], end: str, quoting: int = csv.QUOTE_MINIMAL, separator: str = ",") -> str:
    written = io.StringIO()
    csv.writer(written, delimiter=separator, lineterminator=end, quoting=quoting).writerow(row)  # type: ignore[arg-type]
    return written.getvalue()


@pytest.fixture(scope="module")
def shared(postgres_url: str) -> Iterator[Database]:
    made = new_database(postgres_url)
    yield made
    drop(made)


def survives(database: Database, kind: str, path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with within(1, data):
        try:
            counts = KINDS[kind](database, path, now=NOW, folder=path.parent / "errors")
        except InvalidInput as error:
            assert error.message
            return
    assert counts.rows == counts.accepted + counts.unchanged + counts.refused
    if counts.refused:
        assert counts.error_file is not None
        reported = list(csv.DictReader(io.StringIO(counts.error_file.read_text("utf-8"), newline="")))
        assert len(reported) >= counts.refused and all(row["row"].isdigit() and row["error"] for row in reported)


@fuzz(60)
@given(files("contacts"))
@example(b"external_id,plan\nc1,x\n" * 2)
@example(b"external_id,\nc1,x\n")
def test_files_of_contacts(shared: Database, tmp_path: Path, data: bytes) -> None:
    survives(shared, "contacts", tmp_path / "contacts.csv", data)


@fuzz(60)
@given(files("events"))
def test_files_of_events(shared: Database, tmp_path: Path, data: bytes) -> None:
    survives(shared, "events", tmp_path / "events.csv", data)


@fuzz(40)
@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=200))
def test_any_bytes(shared: Database, tmp_path: Path, kind: str, data: bytes) -> None:
    survives(shared, kind, tmp_path / "any.csv", data)


def wide(columns: int) -> Iterator[bytes]:
    yield b"external_id,name,occurred_at," + b",".join(b"c%d" % number for number in range(columns)) + b"\n"
    yield b"c1,A,2026-01-01," + b"1," * (columns - 1) + b"1\n"


MEGABYTE = b"x" * 2**20
LARGE = {
    "100,000 columns": lambda: wide(100_000),
    "2,000 columns": lambda: wide(2_000 - 3),
    "a cell of 10 MB in each row": lambda: [b"external_id,name,occurred_at,a\n",
    *[b"c1,A,2026-01-01," + MEGABYTE * 10 + b"\n"] * 10],
    "no line end": lambda: [b"external_id,name,occurred_at,a\nc1,A,2026-01-01,", *[MEGABYTE] * 40],
    "a quote that never ends": lambda: [b'external_id,name,occurred_at,a\nc1,A,2026-01-01,"', *[MEGABYTE + b"\n"] * 40],
    "a header without end": lambda: [MEGABYTE] * 40,
    "a header of commas": lambda: [b"," * 2**20] * 40,
    "a row of commas": lambda: [b"external_id,name,occurred_at\n", *[b"," * 2**20] * 40],
    "NUL": lambda: [b"external_id,name,occurred_at\n", *[b"\0" * 2**20] * 40],
    "rows of 90 kB": lambda: [b"external_id,name,occurred_at,a\n",
    *[b"c1,A,2026-01-01," + b"y" * 90_000 + b"\n"] * 600],
}  # fmt: skip


SHORT = ("100,000 columns", "a row of commas", "no line end")


@pytest.mark.parametrize("name", sorted(LARGE) if EFFORT > 1 else SHORT)
def test_large_files_cost_bounded_memory(shared: Database, tmp_path: Path, name: str) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        for piece in LARGE[name]():
            file.write(piece)
    command = [sys.executable, "-m", "tests.fuzz.importing", shared.url, shared.workspace, "events", str(path), "300"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr[-1500:]
    assert done.stdout.startswith(("rows ", "refused: ")), done.stdout
