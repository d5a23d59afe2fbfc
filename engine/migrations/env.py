"""Alembic's entry: `engine.db.Database.migrate` hands over a connection whose search_path is the workspace's schema."""

from alembic import context

from engine.model import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=Base.metadata, compare_type=True, transaction_per_migration=False
)
context.run_migrations()
