"""`assay analyse`: detect a local file's type and run its pipeline."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import typer
from pydantic import JsonValue

from assay.cli.terminal import screen, views
from assay.cli.terminal.arguments import as_options
from assay.cli.terminal.counts import counted
from assay.cli.terminal.reporting import reported
from assay.detection import Detection
from assay.files import analyse_file


def run(file: Path, out: Path, dataset_type: str | None, parameters: Mapping[str, JsonValue], *, as_json: bool) -> None:
    """Write all outputs into `out`, or print an error and raise typer.Exit(1)."""
    with reported(as_json=as_json, title="The file could not be analysed."):
        _run(file, out, dataset_type, parameters, as_json=as_json)


def _run(
    file: Path, out: Path, dataset_type: str | None, parameters: Mapping[str, JsonValue], *, as_json: bool
) -> None:
    with screen.progress(file.name, 1) as update:
        analysis = analyse_file(file, out, dataset_type, parameters, update)
    if isinstance(analysis, Detection):
        detection = analysis.model_dump(mode="json")
        if as_json:
            screen.print_json({"detection": detection})
        words = ["assay", "analyse", str(file), "--out", str(out), *as_options(parameters), "--dataset-type"]
        views.needs_type(detection, shlex.join(words))
        raise typer.Exit(1)
    if as_json:
        outputs: list[JsonValue] = [
            {"name": output.name, "size_bytes": output.size_bytes, "sha256": output.sha256}
            for output in analysis.outputs
        ]
        screen.print_json(
            {
                "detection": analysis.detection.model_dump(mode="json"),
                "pipeline": analysis.pipeline,
                "pipeline_version": analysis.pipeline_version,
                "manifest_sha256": analysis.manifest_sha256,
                "outputs": outputs,
            }
        )
    else:
        for output in analysis.outputs:
            screen.result(str(output.path))
        screen.result(
            f"{file.name} by {analysis.pipeline} {analysis.pipeline_version}; {counted(asdict(analysis.summary))}; "
            f"manifest {analysis.manifest_sha256}"
        )
        if analysis.detection.band in {"likely", "review"}:
            screen.result(f"{analysis.detection.decision} To use another type: --dataset-type TYPE")
