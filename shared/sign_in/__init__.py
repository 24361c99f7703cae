"""Verification of access tokens."""
