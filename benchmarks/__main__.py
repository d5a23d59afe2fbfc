"""Run the benchmarks one after the other: `python -m benchmarks [NAME …]`; without names, all of them."""

from __future__ import annotations

import subprocess
import sys

WORKLOADS = (
    "segments",
    "roi",
    "journey",
    "match",
    "publish",
    "send",
    "dkim",
    "latency",
    "ingest",
    "pixel",
    "contacts_import",
    "simulate",
    "campaign",
    "best_hour",
)


def main(names: list[str]) -> int:
    """Each in a process of its own, so that none warms up another. Returns the number of failures."""
    unknown = [name for name in names if name not in WORKLOADS]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(WORKLOADS)}.", file=sys.stderr)
        return 2
    failures = 0
    for name in names or WORKLOADS:
        print(f"\n{name}", flush=True)
        failures += subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode != 0
    return failures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
