"""The tests that docs/testing.md names are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_each_test_that_the_documentation_names_exists() -> None:
    named = NAMED.findall((ROOT / "docs" / "testing.md").read_text())
    assert len(named) >= 20
    assert [(path, name) for path, name in named if f"def {name}(" not in (ROOT / path).read_text()] == []
