"""Runs migrations on the connection `thumbwheel.store.migrate` hands over."""

from alembic import context

from thumbwheel.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
