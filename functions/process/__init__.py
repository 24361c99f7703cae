"""Processes jobs: claim, download, detect, run, store, finish."""
