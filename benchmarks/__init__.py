"""What Assay takes, measured: a module a question."""
