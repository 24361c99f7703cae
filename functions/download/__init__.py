"""Queries and signed links."""
