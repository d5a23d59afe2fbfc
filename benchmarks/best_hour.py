"""How often the best hour that is chosen is the right one, of people whose habits are known.

    python -m benchmarks.best_hour [PEOPLE]

Each has an hour of the day of its own, drawn from three peaks (8, 13, 20 o'clock); one in five has another one at
weekends, three hours later. An open comes at that hour with some 40 minutes' deviation, or in two of five cases at any
hour between 7 and 23. The workspace's history are 50 opens each of 400 others. The hour is asked for at a random hour
of a random day, and is right if it is the true one of the day on which it falls; near, if it is next to it.
"""

from __future__ import annotations

import datetime as dt
import random
import sys
import time
from collections import Counter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.habits.estimate import DEFAULT_HOUR, Everybody, Habits, Profile, choose

UTC = ZoneInfo("UTC")
START = dt.datetime(2026, 3, 2, tzinfo=UTC)
OPENS = (0, 1, 2, 3, 5, 10, 20, 50, 100)
PEAKS, NOISE = (8, 13, 20), 0.4


class Habit(NamedTuple):
    """True hours of a person: on Monday to Friday, and at weekends."""

    week: int
    weekend: int

    def on(self, slot: int) -> int:
        """The hour of the day that a slot is in."""
        return self.weekend if slot // 24 > 4 else self.week


def person(dice: random.Random) -> Habit:
    """Somebody new."""
    hour = round(dice.gauss(dice.choice(PEAKS), 1.5)) % 24
    return Habit(hour, (hour + 3) % 24 if dice.random() < 0.2 else hour)


def opened(dice: random.Random, habit: Habit) -> int:
    """The slot of an open."""
    day = dice.randrange(7)
    if dice.random() < NOISE:
        return 24 * day + dice.randrange(7, 23)
    return 24 * day + int(habit.on(24 * day) + dice.gauss(0.5, 0.66)) % 24


def history(dice: random.Random, habit: Habit, opens: int) -> Counter[int]:
    """Counts by slot."""
    return Counter(opened(dice, habit) for _ in range(opens))


def apart(one: int, other: int) -> int:
    """Hours between two hours of the day."""
    return min((one - other) % 24, (other - one) % 24)


def measure(people: int) -> list[tuple[int, float, float, float]]:
    """By number of opens: part of choices that were right, and at most an hour off, and microseconds of CPU each."""
    dice = random.Random(7)
    everybody = Everybody(sum((history(dice, person(dice), 50) for _ in range(400)), Counter()))
    found = []
    for opens in OPENS:
        habits = [person(dice) for _ in range(people)]
        known = [Habits(Profile(history(dice, habit, opens)), everybody) for habit in habits]
        moments = [START + dt.timedelta(minutes=dice.randrange(7 * 1440)) for _ in habits]
        began = time.process_time()
        chosen = [choose(one, (UTC,), (), at).slot for one, at in zip(known, moments, strict=True)]
        took = time.process_time() - began
        off = [apart(slot % 24, habit.on(slot)) for slot, habit in zip(chosen, habits, strict=True)]
        found.append((opens, off.count(0) / people, sum(n <= 1 for n in off) / people, took / people * 1e6))
    return found


def main() -> None:
    """Print the table."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    print(f"{people:,} people; at random 4.2 % are right, 12.5 % near; without any history it is {DEFAULT_HOUR}:00")
    for opens, right, near, cpu in measure(people):
        print(f"{opens:4} opens  {right:6.1%} right  {near:6.1%} near  {cpu:5.1f} us")


if __name__ == "__main__":
    main()
