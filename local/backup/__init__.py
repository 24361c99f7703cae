"""Backups of the local stack, and how they come back."""
