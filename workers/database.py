"""Opening the database of an installation for the first time in a run."""

from __future__ import annotations

from engine import clock, partitions
from engine.db import Database
from engine.settings import Settings
from workers.embedded import Urls


def open_database(settings: Settings, urls: Urls) -> Database:
    """The workspace's tables, brought to the newest revision, with room for the months to come."""
    database = Database(urls.database_url, workspace=settings.workspace_schema)
    database.migrate()
    with database.transaction() as session:
        partitions.ensure_ahead(session, clock.now(session))
    return database
