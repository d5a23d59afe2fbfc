"""What outlives an example of the model: the servers, and a workspace that is emptied before each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from sqlalchemy import event, text

from engine.db import Database
from tests import invariants
from tests.journeys.runtime.world import World
from tests.model.mailserver import Troublesome
from tests.model.process import Nursery
from tests.model.stories import BUYERS_RULE, STORIES


@dataclass(frozen=True)
class Servers:
    """What outlives an example: the servers, and an empty, watched workspace."""

    database: Database
    redis: Redis
    mail: Troublesome
    home: Path
    nursery: Nursery


def prepare(database: Database, mail: Troublesome) -> None:
    """Once a workspace: the journeys with their contents, a person who has done something, what the checks need."""
    world = World(database, mail)
    world.segment("buyers", BUYERS_RULE)
    for original, edited in STORIES.values():
        world.publish(edited)
        world.publish(original)
    world.event(world.contact(buyer=True), "Signed Up")
    with database.transaction() as session:
        invariants.watch(session)
        session.execute(text("create table slot_tally (at timestamptz default now())"))
    # Nobody waits long for a lock that a worker has who stands still.
    event.listen(database.engine, "begin", lambda it: it.exec_driver_sql("set local lock_timeout = '200ms'"))


KEPT = "alembic_version, contents, content_versions, journeys, journey_versions, segments, topics"
TABLES = text("""
select string_agg(c.oid::regclass::text, ', ') from pg_class c
where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = current_schema()::regnamespace
    and c.relname <> all (string_to_array(:kept, ', '))
""")


def clear(servers: Servers) -> None:
    """Back to a workspace in which nobody is known and nothing has happened, with the journeys as they were first."""
    with servers.database.transaction() as session:
        session.execute(text(f"truncate {session.execute(TABLES, {'kept': KEPT}).scalar()}"))
        session.execute(
            text(
                "update journeys j set state = 'live', live_version_id = (select max(v.id) from journey_versions v \
            where v.journey_id = j.id and v.number <= 2)"
            )
        )
        session.execute(text("delete from journey_versions where number > 2"))
        session.execute(text("update segments set contact_count = 0, stale = true"))
    servers.redis.flushall()
    servers.mail.clear()
