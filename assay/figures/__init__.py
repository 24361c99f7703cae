"""Arithmetic that several dataset types share."""
