"""A model of the job engine, and random calls that hold the database to it."""
