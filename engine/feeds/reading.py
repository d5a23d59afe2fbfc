"""The rows of a feed's file: CSV, JSON, JSON Lines, or RSS and Atom with Google's names."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from engine.errors import InvalidInput
from engine.feeds.fields import product

MOST_PRODUCTS = 20_000
LISTS = ("products", "items", "data", "results")
csv.field_size_limit(1_000_000)


@dataclass
class Read:
    """What a file holds: products by id in its order, and how many rows are none, with the first reason.

    Of rows with one id the first counts; `doubles` are the others.
    """

    products: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: int = 0
    reason: str = ""
    doubles: int = 0

    def note(self) -> str | None:
        """What is not as it should be, in words."""
        one = "1 row is no product" if self.refused == 1 else f"{self.refused:,} rows are no products"
        said = [f"{one} ({self.reason})"] if self.refused else []
        again = "1 row has" if self.doubles == 1 else f"{self.doubles:,} rows have"
        said += [f"{again} the id of an earlier one"] if self.doubles else []
        return "; ".join(said) or None


def read(data: bytes) -> Read:
    """The products of a file; its kind is seen from how it begins. Raises InvalidInput for one that holds none, that
    does not read to its end, or of which most rows are no products."""
    found = Read()
    for number, row in enumerate(_rows(data), 1):
        made = product(row)
        if isinstance(made, str):
            found.refused += 1
            found.reason = found.reason or f"row {number}: {made}"
        elif found.products.setdefault(made["id"], made) is not made:
            found.doubles += 1
        if len(found.products) > MOST_PRODUCTS:
            raise InvalidInput(f"has more than {MOST_PRODUCTS:,} products", "feed", "Split it into several feeds.")
    if found.refused > len(found.products):
        raise InvalidInput(f"has {found.refused:,} rows that are no products ({found.reason})", "feed")
    if not found.products:
        raise InvalidInput("has no products", "feed", "Each needs an id, a title and a link.")
    return found


def _rows(data: bytes) -> Iterator[Mapping[str, Any]]:
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    try:
        if start == b"<":
            return iter(Items(data).rows)
        text = data.decode("utf-8-sig")
        return iter(_of_json(text)) if start in (b"{", b"[") else _of_csv(text)
    except UnicodeDecodeError:
        raise InvalidInput("is no UTF-8 text", "feed", "Save it as UTF-8.") from None
    except expat.ExpatError as error:
        raise InvalidInput(f"is no XML: {error}", "feed") from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"is no JSON: {error}", "feed") from None


def _of_json(text: str) -> Iterable[Mapping[str, Any]]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        if not text.lstrip().startswith("{"):
            raise
        found = [json.loads(line) for line in text.splitlines() if line.strip()]  # JSON Lines
    if isinstance(found, dict):
        found = next((found[name] for name in LISTS if isinstance(found.get(name), list)), [found])
    return [row if isinstance(row, dict) else {} for row in found]


def _of_csv(text: str) -> Iterator[Mapping[str, Any]]:
    head = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=max("\t;,|", key=head.count), strict=True)
    try:
        yield from ({key: value for key, value in row.items() if key} for row in rows)
    except csv.Error as error:
        raise InvalidInput(f"is no CSV: {error} in line {rows.line_num}", "feed") from None


class Items:
    """The texts of each `item` (RSS 2.0) or `entry` (Atom), by the names of their elements, the first of a name.

    A document type is refused: with it come entities, which may grow without bound or name files.
    """

    def __init__(self, data: bytes) -> None:
        self.rows: list[dict[str, str]] = []
        self.item: dict[str, str] | None = None
        self.path: list[str] = []
        self.text: list[str] = []
        self.nested = False  # whether the element that ends next holds others
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self.text.append
        parser.Parse(data, True)

    def _refuse(self, *_: object) -> None:
        raise InvalidInput("has a document type (<!DOCTYPE>), which is not read", "feed", "Leave it out.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name in ("item", "entry") and self.item is None:
            self.item, self.path = {}, []
            return
        self.path.append(name)
        self.text.clear()
        self.nested = len(self.path) > 1
        if self.item is not None and name == "link" and "href" in attributes:
            self.item.setdefault("link", attributes["href"])

    def _end(self, name: str) -> None:
        if self.item is not None and not self.path:
            self.rows.append(self.item)
            self.item = None
        elif self.item is not None and len(self.path) == 1 and not self.nested:
            self.item.setdefault(name, "".join(self.text))
        if self.path:
            self.path.pop()
