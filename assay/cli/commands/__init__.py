"""The commands of `assay`, a module for each kind; assay/cli/app.py puts them together."""
