"""What is done to whom and when: a pure function of the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

DECK = (
    ("worker", 6), ("web", 1), ("web-child", 1), ("scheduler", 2), ("redis", 1), ("postgres", 2), ("backend", 1),
    ("receiver", 1),
)  # fmt: skip
"""Who dies how often in fifteen kills. `web-child` is the process behind the web server's own supervisor, `backend` one
session of PostgreSQL, whose other sessions PostgreSQL then ends as well."""

PAUSES = (("leader", 12.0), ("worker", 3.0), ("web", 2.0), ("receiver", 2.0), ("redis", 2.0), ("worker", 1.0))
"""Who is stopped for how long in a round. The leading scheduler sleeps longer than its lease."""

SHORTAGES = (("disk", 3.0), ("files", 2.5), ("flush", 0.0))
"""`disk`: the file system that holds journals, logs and PostgreSQL is full; `files`: a worker may write to no file;
`flush`: Redis forgets everything."""

ROUND = 15


@dataclass(frozen=True, order=True)
class Fault:
    """`at` is in seconds from the start of the run; `delay` is how long the victim stays dead, stopped or short."""

    at: float
    what: str
    whom: str
    delay: float

    def __str__(self) -> str:
        return f"{self.at:7.2f} s  {self.what:<8} {self.whom:<10} {self.delay:5.2f} s"


def plan(seed: int, kills: int, seconds: float) -> list[Fault]:
    """The faults of a run: `kills` kills spread over `seconds`, with pauses and shortages in each round of fifteen."""
    dice = random.Random(f"nemesis {seed}")
    rounds = -(-kills // ROUND)
    killed = [whom for _ in range(rounds) for whom in _shuffled(dice)][:kills]
    spacing = seconds / max(kills, 1)
    faults = [
        Fault(spacing * (number + dice.random()), "kill", whom, dice.uniform(0.0, 1.2))
        for number, whom in enumerate(killed)
    ]
    for _ in range(rounds):
        faults += [Fault(dice.uniform(0, seconds), "pause", whom, length) for whom, length in PAUSES]
        faults += [Fault(dice.uniform(0, seconds), what, "", length) for what, length in SHORTAGES]
    return sorted(faults)


def _shuffled(dice: random.Random) -> list[str]:
    deck = [whom for whom, count in DECK for _ in range(count)]
    dice.shuffle(deck)
    return deck
