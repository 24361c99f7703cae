"""Anything tabular: a profile of every column and of how columns hang together."""
