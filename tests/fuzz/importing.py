"""Imports one file in a process of its own under a limit on memory.

`python -m tests.fuzz.importing URL SCHEMA KIND FILE MB` prints what became of it. The process has imported its modules
before the limit binds, so MB is what a file may cost.
"""

from __future__ import annotations

import datetime as dt
import resource
import sys
from pathlib import Path

import psutil
from sqlalchemy import text

from engine.db import Database
from engine.errors import InvalidInput
from engine.imports.contacts import import_contacts
from engine.imports.events import import_events

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


def main() -> None:
    url, workspace, kind, file, megabytes = sys.argv[1:]
    database = Database(url, workspace=workspace, pool_size=1)
    with database.transaction() as session:
        session.execute(text("select 1"))
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + int(megabytes) * 2**20,) * 2)
    run = import_contacts if kind == "contacts" else import_events
    path = Path(file)
    try:
        counts = run(database, path, now=NOW, folder=path.parent)
        sys.stdout.write(f"rows {counts.rows} accepted {counts.accepted} refused {counts.refused}")
    except InvalidInput as error:
        sys.stdout.write(f"refused: {error}")


if __name__ == "__main__":
    main()
