"""Runs the analysis of a file in a child process with limits, so that a crash ends one job and not the worker."""
