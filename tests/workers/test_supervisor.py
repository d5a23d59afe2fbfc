"""The supervisor with processes that end at once."""

from __future__ import annotations

import os
import time
from pathlib import Path

from workers.embedded import places
from workers.supervisor import PARTS, TEXTS, Part, Supervisor

PROCFILE = Path(__file__).parents[2] / "Procfile"


def test_a_part_that_ends_is_started_again_more_and_more_slowly(tmp_path: Path) -> None:
    places.prepare(tmp_path)
    said: list[str] = []
    pids: list[int] = []
    supervisor = Supervisor(
        dict(os.environ), tmp_path, said.append, lambda now: pids.extend(now.values()), [Part("ends", ("no-such",))]
    )
    supervisor.start()
    until = time.monotonic() + 30
    while len(said) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    supervisor.stop()
    assert "ends ended (exit code 2) and starts again in 0.5 s" in said[0]
    assert "No such command" in said[0] and str(tmp_path / "log" / "ends.log") in said[0]
    assert "starts again in 1.0 s" in said[1]
    assert len(set(pids)) >= 2
    assert supervisor.failures("ends") >= 2


def test_the_procfile_lists_the_same_parts() -> None:
    commands = [line.split(": ", 1)[1] for line in PROCFILE.read_text().splitlines() if line]
    assert sorted(commands) == sorted("cairn " + " ".join(part.arguments) for part in (*PARTS, TEXTS))
