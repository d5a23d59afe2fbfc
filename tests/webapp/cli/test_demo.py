"""`cairn demo` from its start to its report, with the site's own processes."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.webapp.cli.test_up import CAIRN, PATIENCE, environment


def test_the_demo_shop_plays_its_days_prints_its_report_and_stops(tmp_path: Path) -> None:
    told = subprocess.run(
        [*CAIRN, "demo", "--port", "0", "--people", "30", "--days", "1", "--exit"],
        env=environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "1/1 days" in told.stdout
    assert "welcome" in told.stdout
