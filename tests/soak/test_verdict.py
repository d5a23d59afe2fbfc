"""What counts as flat."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.soak.verdict import slopes


def verdicts(**readings: Sequence[float]) -> dict[str, bool]:
    names = {name.replace("_", " ", 1): values for name, values in readings.items()}
    samples = [dict(zip(names, row, strict=True)) for row in zip(*names.values(), strict=True)]
    return {each.name: each.flat for each in slopes(samples)}


def test_the_warm_up_does_not_count_and_a_leak_does() -> None:
    assert verdicts(memory_web=[10, 80, 100, 100, 101, 100]) == {"memory web": True}
    assert verdicts(memory_web=[100, 100, 100, 101, 125, 126]) == {"memory web": False}
    assert verdicts(lag_event=[0, 0, 0.1, 0.1, 9, 9]) == {"lag event": False}
    assert verdicts(redis_keys=[9, 9, 9, 9, 400, 400]) == {"redis keys": False}


def test_a_ledger_may_grow_by_its_rows_and_a_queue_may_not() -> None:
    rows = [3000, 3000, 4000, 4000, 9000, 9000]
    grown = [1.0, 1.0, 2.0, 2.0, 4.5, 4.5]
    assert verdicts(size_events=grown, rows_events=rows) == {"bytes a row events": True}
    assert verdicts(size_events=[each**2 for each in grown], rows_events=rows) == {"bytes a row events": False}
    assert verdicts(size_event_inbox=grown) == {"size event_inbox": False}


def test_thirds_need_samples() -> None:
    with pytest.raises(ValueError, match="too few"):
        slopes([{"lag event": 0.0}] * 5)
