"""Buffers follow the size of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.embedded import memory


@pytest.mark.parametrize(
    ("machine", "shared", "cache"),
    [(512, "128MB", "512MB"), (2048, "256MB", "1024MB"), (8192, "1024MB", "4096MB"), (65_536, "2048MB", "32768MB")],
)
def test_postgresql_gets_an_eighth_within_bounds(machine: int, shared: str, cache: str) -> None:
    assert memory.postgres_settings(machine) == {"shared_buffers": shared, "effective_cache_size": cache}


def test_the_limit_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = memory.machine_mb()
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "LIMITS", (limit, tmp_path / "missing"))
    limit.write_text("max\n")
    assert memory.machine_mb() >= whole
    limit.write_text(f"{300 * memory.MB}\n")
    assert memory.machine_mb() == 300
