"""`cairn clock` beside a site that runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from engine.db import Database
from tests.conftest import drop
from tests.journeys.runtime.world import World, journey
from tests.smtp import recording_server
from workers.embedded import Running, running


def test_virtual_time_sends_through_the_mail_server_of_the_running_site(postgres_url: str, tmp_path: Path) -> None:
    database = Database(postgres_url, workspace="cairn_clock")
    database.migrate()
    urls = {"DATABASE_URL": postgres_url, "REDIS_URL": "redis://127.0.0.1:1"}
    own = {**os.environ, **urls, "CAIRN_HOME": str(tmp_path), "CAIRN_WORKSPACE": "clock"}
    own.pop("CAIRN_SMTP_URL", None)
    call = [sys.executable, "-m", "webapp.cli", "clock", "run", "2026-03-03"]
    try:
        with recording_server() as receiver:
            world = World(database, receiver)
            world.publish(journey("- email: hello\n  id: mail"))
            world.event(world.contact("ann"), "Signed Up")
            site = Running("up", postgres_url, urls["REDIS_URL"], smtp_url=receiver.url)
            with running.published(tmp_path, site, patient=True):
                done = subprocess.run(call, env=own, capture_output=True, text=True, check=False)
    finally:
        drop(database)
    assert (done.returncode, done.stderr) == (0, "")
    assert receiver.accepted == {"ann@x.example": 1}
