"""Writes generated files anew; run by make."""
