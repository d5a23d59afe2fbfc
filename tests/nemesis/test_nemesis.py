"""The nemesis in short, and that it would notice."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.nemesis.check import Record
from tests.nemesis.plan import DECK, ROUND, plan

KILLS = 30
SHORT = ["--contacts", "3000", "--kills", str(KILLS), "--seconds", "60", "--patience", "120"]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_nobody_is_lost_and_nobody_gets_anything_twice_while_everything_is_killed() -> None:
    command = [sys.executable, "-m", "tests.nemesis", "--seed", "1", *SHORT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=380, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"kills {KILLS}:" in done.stdout


def test_a_plan_follows_from_its_seed_and_kills_as_often_as_asked() -> None:
    assert plan(7, 40, 100.0) == plan(7, 40, 100.0) != plan(8, 40, 100.0)
    faults = plan(7, 40, 100.0)
    assert sum(fault.what == "kill" for fault in faults) == 40
    assert all(0 <= fault.at <= 100 for fault in faults)
    assert {fault.what for fault in faults} == {"kill", "pause", "disk", "files", "flush"}
    first = Counter(fault.whom for fault in plan(7, ROUND, 100.0) if fault.what == "kill")
    assert first == dict(DECK)


def test_the_record_tells_who_got_what_how_often(tmp_path: Path) -> None:
    lines = [
        "data\ta@x\t\t\t\t\t",
        "accepted\ta@x\tt1\thello\t\t\t",
        "cut\tb@x\tt2\thello\t\t\t",
        "refused\tc@x\t\t\t\t\t",
    ]
    path = tmp_path / "record"
    path.write_text("\n".join([*lines, lines[1]]) + "\n")
    record = Record.read(path)
    assert record.accepted == {("a@x", "hello"): 2} and record.tokens == {"t1": 2}
    assert (record.tried, record.refused, record.cuts) == ({"a@x"}, {"c@x"}, 1)
