"""The history of the store's own shape, for Alembic; it travels inside the package."""
