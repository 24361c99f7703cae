"""Checks of a table by a Table Schema, as expressions of the data engine, and a schema made from a table."""
