"""Whether readings are flat: the last third of a run against the second; the first one warms up."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.soak.sample import Sample

LEDGERS = (
    "events", "event_keys", "messages", "step_log", "hits", "enrolments", "conversions", "credits",
    "segment_memberships",
)  # fmt: skip
"""Tables whose rows are kept: they grow with what happens. Their bytes a row must not."""

KEPT_ROWS = 2000
"""A table with fewer rows than that says nothing about bytes a row."""


@dataclass(frozen=True)
class Bound:
    """Readings whose name begins with `prefix` may grow by the `factor` and then by `slack` from third to third."""

    prefix: str
    factor: float
    slack: float
    unit: str


BOUNDS = (
    Bound("memory postgres", 1.15, 30.0, "MB"),  # sessions fill their caches as they meet more partitions and plans
    Bound("memory ", 1.10, 6.0, "MB"),
    Bound("files ", 1.0, 6.0, "files"),
    Bound("lag ", 1.5, 1.0, "s"),
    Bound("latency p50", 1.3, 150.0, "ms"),
    Bound("latency p95", 1.5, 500.0, "ms"),
    Bound("bytes a row ", 1.15, 20.0, "B"),
    Bound("dead ", 1.5, 5000.0, "rows"),
    Bound("size ", 1.2, 1.0, "MB"),
    Bound("redis MB", 1.1, 0.5, "MB"),
    Bound("redis keys", 1.0, 20.0, "keys"),
    Bound("journals", 1.0, 1.0, "files"),
    Bound("journal MB", 1.0, 0.5, "MB"),
    Bound("log MB", 1.2, 0.5, "MB"),
)
"""The first bound that fits a reading holds. `size` bounds the tables that are no ledger."""


WORK = Bound("cpu ", 1.5, 2.0, "ms")  # a machine that gets less busy makes smaller batches, which cost more each


@dataclass(frozen=True)
class Slope:
    """A reading's medians in the second and the last third."""

    name: str
    before: float
    after: float
    bound: Bound

    @property
    def flat(self) -> bool:
        """Whether it grew no more than its bound allows."""
        return self.after <= self.before * self.bound.factor + self.bound.slack


def slopes(samples: Sequence[Sample]) -> list[Slope]:
    """Every bounded reading. Raises ValueError if there are too few samples for thirds."""
    third = len(samples) // 3
    if third < 2:
        raise ValueError(f"{len(samples)} samples are too few to compare thirds")
    judged = [_judged(sample) for sample in samples]
    second, last = judged[-2 * third : -third], judged[-third:]
    found = []
    for name in sorted(last[-1]):
        bound = next((each for each in BOUNDS if name.startswith(each.prefix)), None)
        before, after = ([each[name] for each in part if name in each] for part in (second, last))
        if bound is not None and before:
            found.append(Slope(name, statistics.median(before), statistics.median(after), bound))
    return found + _work(second, last)


def _work(second: Sequence[Sample], last: Sequence[Sample]) -> list[Slope]:
    """CPU a message, which a crowded machine blurs less than it does latency."""
    found = []
    for name in sorted(each for each in last[-1] if each.startswith("cpu ")):
        before, after = (_per_message(part[0], part[-1], name) for part in (second, last))
        found.append(Slope(f"{name} a message", before, after, WORK))
    return found


def _per_message(first: Sample, then: Sample, name: str) -> float:
    """Milliseconds."""
    messages = then.get("rows messages", 0.0) - first.get("rows messages", 0.0)
    return 1000 * (then[name] - first[name]) / messages if messages > 0 else 0.0


def _judged(sample: Sample) -> Sample:
    """For ledgers, bytes a row instead of the size."""
    found = dict(sample)
    for table in LEDGERS:
        size, rows = found.pop(f"size {table}", 0.0), found.get(f"rows {table}", 0.0)
        if rows > KEPT_ROWS:
            found[f"bytes a row {table}"] = size * 1e6 / rows
    return found
