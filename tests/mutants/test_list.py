"""Each mutant still has its place, so that a fence that moved is noticed at once and not by the next long run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.list import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_its_place_is_there_once_and_its_suite_exists(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text().count(mutant.before) == 1
    for argument in mutant.suite:
        path, _, name = argument.partition("::")
        assert name.partition("[")[0] in (ROOT / path).read_text()
