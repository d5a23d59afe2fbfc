"""Take the product's fences away one by one, each in a scratch copy, and see that a suite goes red.

    python -m tests.mutants [NAME …]

A mutant that survives means that nothing would notice if that fence were lost. The exit code is 1 if one survives, or
if a suite fails on the product as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.list import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "var", "node_modules", "__pycache__", "images")
PATIENCE = 1800
RED = 1
"""pytest's exit code for tests that failed; all others but 0 say that it could not test."""


def main(names: list[str]) -> int:
    """Run the baseline, then the mutants that are named, or all."""
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    with tempfile.TemporaryDirectory(prefix="cairn-mutants-") as folder:
        suites = {argument: None for mutant in chosen for argument in mutant.suite}
        print("the product as it is …", flush=True)
        code, seconds, words = test(copied(Path(folder) / "baseline"), suites)
        print(f"{'green' if code == 0 else 'RED'}  {seconds:.0f} s")
        if code:
            print(words)
            return 1
        return 1 if sum(survives(mutant, Path(folder) / mutant.name) for mutant in chosen) else 0


def survives(mutant: Mutant, folder: Path) -> bool:
    """Apply it to a copy and test that; say what came of it."""
    mutant.apply(copied(folder))
    code, seconds, words = test(folder, mutant.suite)
    shutil.rmtree(folder)
    print(f"{'killed' if code == RED else 'SURVIVED'}  {mutant.name}: {mutant.removes}  ({seconds:.0f} s)", flush=True)
    if code != RED:
        print(words)
    return code != RED


def copied(folder: Path) -> Path:
    """A copy of the repository without what is made or installed."""
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    return folder


def test(folder: Path, suite: Iterable[str]) -> tuple[int, float, str]:
    """Run tests in a copy: pytest's exit code, seconds, its last words."""
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "--no-header", *suite]
    run = subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, timeout=PATIENCE
    )
    return run.returncode, time.monotonic() - started, run.stdout.decode(errors="replace")[-3000:]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
