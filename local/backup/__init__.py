"""Backup and restore of the local stack."""
