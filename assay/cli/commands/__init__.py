"""The commands of `assay`, a module for each kind; local/cli.py puts them together."""
