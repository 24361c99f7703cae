"""The embedded stack and the assay command."""
