"""How much memory the servers may take of this machine."""

from __future__ import annotations

from pathlib import Path

import psutil

MB = 2**20
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def machine_mb() -> int:
    """The memory of the machine, or of the container if that has less (cgroup v2 and v1)."""
    found: list[int] = [psutil.virtual_memory().total]
    for path in LIMITS:
        try:
            found.append(int(path.read_text()))
        except (OSError, ValueError):  # no such file, or `max`
            continue
    return min(found) // MB


def postgres_settings(machine: int) -> dict[str, str]:
    """Buffers for a machine of so many MB: an eighth for PostgreSQL itself, from 128 MB to 2 GB, and half to hope for
    in the system's cache. https://www.postgresql.org/docs/18/runtime-config-resource.html
    """
    shared = max(128, min(machine // 8, 2048))
    return {"shared_buffers": f"{shared}MB", "effective_cache_size": f"{max(512, machine // 2)}MB"}
