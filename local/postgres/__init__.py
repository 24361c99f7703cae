"""The embedded Postgres and its migrations."""
