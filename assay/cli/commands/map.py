"""`assay map`: no stack, no database."""

from __future__ import annotations

from assay.cli.commands.options import AsJson, Column, DatasetType, File
from assay.cli.terminal.arguments import columns_of
from assay.cli.terminal.installed import require_engine
from assay.cli.terminal.reporting import reported


def map_columns(file: File, dataset_type: DatasetType = None, column: Column = None, as_json: AsJson = False) -> None:
    """Show each role's column and why; in a terminal, ask for others; print the `assay run` command that uses them."""
    with reported(as_json=as_json):
        require_engine()
    from assay.cli.offline import roles

    roles.run(file, dataset_type, columns_of(column or []), as_json=as_json)
