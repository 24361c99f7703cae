"""SQL alone: migrations, rights, limits, and each step of a job in Postgres."""
