"""The log of a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WRITES = """
import structlog
from engine import log
from engine.settings import Settings
log.configure(Settings(), "worker")
logger = structlog.get_logger()
for _ in range(3):
    logger.error("nothing of this can be written")
print("went on")
"""


def test_a_full_disk_costs_lines_of_the_log_but_not_the_process() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", WRITES], stdout=subprocess.PIPE, stderr=full, timeout=60, check=False
        )
    assert done.stdout == b"went on\n"
