"""The built front end: its budget, and what may not be in it."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from webapp.frontend import build

PAGES_BUDGET = 60_000
CHARTS_BUDGET = 260_000
FRONTEND = Path(build.__file__).parent
TEMPLATES = FRONTEND.parents[1] / "templates" / "pages"


@pytest.fixture(scope="module")
def manifest(built: None) -> dict[str, Any]:
    """Vite's manifest."""
    found: dict[str, Any] = json.loads((build.DIST / "manifest.json").read_text())
    return found


def packed(entry: dict[str, Any]) -> int:
    """Bytes of an entry's script after gzip."""
    return len(gzip.compress((build.DIST / entry["file"]).read_bytes()))


def test_pages_load_at_most_60_kb_of_script(manifest: dict[str, Any]) -> None:
    entry = manifest["src/pages.ts"]
    assert packed(entry) + sum(packed(manifest[name]) for name in entry.get("imports", [])) <= PAGES_BUDGET


def test_charts_are_loaded_apart(manifest: dict[str, Any]) -> None:
    assert manifest["src/pages.ts"]["dynamicImports"] == ["src/charts/mount.tsx"]
    assert packed(manifest["src/charts/mount.tsx"]) <= CHARTS_BUDGET


def test_nothing_is_built_again_while_the_sources_stay(built: None) -> None:
    assert build.build() is False


def test_the_lock_file_names_no_registry() -> None:
    lock = (FRONTEND / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert "://registry" not in lock


def test_each_cell_keeps_its_label_on_phones_where_tables_have_no_heads() -> None:
    """Cells that hold something to press or to choose say themselves what it is."""
    bare = [
        f"{path.name}: {cell[:80]}"
        for path in TEMPLATES.rglob("*.html")
        for table in re.findall(r'<table class="grid-table cards">.*?</table>', path.read_text(), re.S)
        for cell in re.findall(r"<td\b.*?</td>", table, re.S)
        if "data-name" not in cell and not re.search(r"<a |<form|choice\(", cell)
    ]
    assert bare == []
