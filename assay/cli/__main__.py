"""`python -m assay.cli` is the command `assay`."""

from assay.cli.app import app

app()
