"""The migration makes exactly what the models say."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from engine.db import Database
from engine.model import Base

PARTITIONS = "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where c.relkind = 'r'"
SEQUENCES = "select sequencename from pg_sequences where schemaname = current_schema()"


def is_random_default(change: Any) -> bool:
    """Alembic compares defaults by their values, and a random one never equals itself."""
    kind, *_, made, written = change[0] if isinstance(change, list) else ("", "", "")
    return kind == "modify_default" and all("gen_random_uuid()" in str(one.arg) for one in (made, written))


def test_a_migrated_schema_equals_the_models(database: Database) -> None:
    with database.transaction() as session:
        partitions = set(session.execute(text(PARTITIONS)).scalars())

        def ours(name: str | None, kind: str, parents: Any) -> bool:
            """Partitions are made as time goes on; a partition's indexes are its table's."""
            table = name if kind == "table" else parents.get("table_name")
            return table not in partitions and name != "alembic_version"

        options = {"compare_type": True, "compare_server_default": True, "include_name": ours}
        context = MigrationContext.configure(session.connection(), opts=options)
        changes = compare_metadata(context, Base.metadata)
    assert [change for change in changes if not is_random_default(change)] == []


def test_every_sequence_of_the_models_is_made(database: Database) -> None:
    with database.transaction() as session:
        made = set(session.execute(text(SEQUENCES)).scalars())
    assert set(Base.metadata._sequences) <= made
