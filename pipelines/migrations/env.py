"""Alembic's environment: the store hands over its open connection, so a migration runs where the data is."""

from alembic import context

from pipelines.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
