"""Process a file: detect its type, run the pipeline, write the manifest. Used for jobs and for `assay analyse`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TypeVar, cast

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from assay.checks.run import check_table
from assay.contract import Output, Outputs, Progress, Source, Sources, Summary, TabularParameters
from assay.datasets import registry
from assay.detection import Detection, detect
from assay.detection.columns import header_key
from assay.detection.rules import Rules
from assay.errors import Unprocessable, in_words
from assay.formats import Scorer, Table, open_table, preview
from assay.formats.header_rank import Cells
from assay.schema import TableSchema
from assay.write.canonical import described, write_json
from assay.write.datapackage import write_datapackage

MANIFEST_VERSION = 1

_Model = TypeVar("_Model", bound=BaseModel)


class RememberedColumns(BaseModel):
    """The columns that an owner confirmed for the files of one type with one header (`header_key`), by role."""

    model_config = ConfigDict(frozen=True)

    dataset_type: str
    header_sha256: str
    columns: dict[str, str | None]


@dataclass(frozen=True)
class NeedsType:
    """No dataset type is likely enough; the user must choose."""

    detection: Detection


@dataclass(frozen=True)
class Analysis:
    """A finished run. The manifest is the last of `outputs`."""

    detection: Detection
    pipeline: str
    pipeline_version: str
    dataset_type: str
    parameters: dict[str, JsonValue]
    summary: Summary
    outputs: list[Output]
    manifest_sha256: str


def analyse(
    sources: Sources,
    requested_dataset_type: str | None,
    parameters: Mapping[str, JsonValue],
    folder: Path,
    progress: Progress,
    on_detection: Callable[[Detection], None],
    remembered: Sequence[RememberedColumns] = (),
) -> Analysis | NeedsType:
    """Detect the dataset type, run its pipeline and write the outputs into `folder`.

    `remembered` are the columns that the file's owner confirmed before, for other files. `on_detection` is called once,
    before the pipeline runs. Raises Unprocessable if the file, the requested type or the parameters are at fault,
    and what `progress` and `on_detection` raise.
    """
    source = sources.input
    progress(0.0, "detecting")
    names, detection = recognise(source, requested_dataset_type, parameters, remembered)
    on_detection(detection)
    if detection.dataset_type is None:
        return NeedsType(detection)
    info = registry.for_type(detection.dataset_type)
    rules = registry.rules_of(info)
    layout = rules.layout_of(names)
    pipeline = registry.load(info)
    # What a layout says goes before the pipeline's own defaults, and what a person says before both.
    chosen = {**(layout.parameters if layout is not None else {}), **parameters}
    if kept := {role: one.column for role, one in detection.columns.roles.items() if one.how == "remembered"}:
        given_columns = TabularParameters.model_validate({"columns": parameters.get("columns", {})}).columns
        chosen["columns"] = {**kept, **given_columns}
    parsed = _validated(pipeline.Parameters, chosen, info.name)
    complete = cast("dict[str, JsonValue]", parsed.model_dump(mode="json", exclude={"table_schema"}))
    schema = parsed.table_schema if isinstance(parsed, TabularParameters) else None
    if schema is not None:
        # What was given: the standard knows no null.
        complete["schema"] = schema.as_given()
    outputs = Outputs(folder)
    summary = pipeline.run(sources, parsed, outputs, progress)
    if schema is not None:
        # The rows that the pipeline read: in a file of several tables, each type finds its own.
        score = parsed.header_score(rules.header_score)
        table_of = partial(open_table, source, score, reading=parsed.reading)
        summary = _checked(table_of, schema, outputs, summary, progress)
    write_datapackage(f"{info.name}-{source.sha256[:12]}", outputs)
    manifest = _write_manifest(source, detection, info, complete, outputs)
    return Analysis(
        detection=detection,
        pipeline=info.name,
        pipeline_version=info.version,
        dataset_type=info.dataset_type,
        parameters=complete,
        summary=summary,
        outputs=outputs.files,
        manifest_sha256=manifest.sha256,
    )


def recognise(
    source: Source,
    requested_dataset_type: str | None,
    parameters: Mapping[str, JsonValue],
    remembered: Sequence[RememberedColumns] = (),
    *,
    may_lack: bool = False,
) -> tuple[Cells, Detection]:
    """Tell what a file is by its head: its header, and the detection.

    `may_lack` has a requested type looked for in a file that lacks a column which it needs. Raises Unprocessable as
    `analyse` does.
    """
    known = registry.rules()
    if may_lack and requested_dataset_type in known:
        known, requested_dataset_type = {requested_dataset_type: known[requested_dataset_type]}, None
    # Before a pipeline is known: any of them takes these.
    shared = {name: parameters[name] for name in TabularParameters.model_fields if name in parameters}
    tabular = _validated(TabularParameters, shared, "The reader")
    head = preview(source, tabular.header_score(any_header_score(known)), tabular.reading)
    key = header_key(head.columns)
    before = {one.dataset_type: one.columns for one in remembered if one.header_sha256 == key}
    return head.columns, detect(head, known, requested_dataset_type, tabular.columns, before)


def any_header_score(known: Mapping[str, Rules]) -> Scorer:
    """Score a row of cells as a header for any of these types, while the type of a file is not known."""

    @cache
    def score(names: tuple[str, ...]) -> float:
        return max(rules.header_score(names) for rules in known.values())

    # The same lines are asked about several times, and may have ten thousand cells.
    return lambda names: score(tuple(names))


def _checked(
    table_of: Callable[[Path, Callable[[float], None]], Table],
    schema: TableSchema,
    outputs: Outputs,
    summary: Summary,
    progress: Progress,
) -> Summary:
    """Check the rows by a schema, and add to the summary how many of them break it."""

    def tick(_done: float) -> None:
        progress(0.98, "checking the rows")

    tick(0.0)
    with tempfile.TemporaryDirectory(dir=outputs.folder.parent, prefix="checks-") as folder:
        found = check_table(table_of(Path(folder), tick), schema, outputs, Path(folder), tick)
    figures: dict[str, JsonValue] = {
        "schema_errors": found.errors,
        "schema_warnings": found.warnings,
        "rows_refused_by_schema": found.refused,
    }
    return replace(summary, figures={**summary.figures, **figures})


def _validated(model: type[_Model], values: JsonValue, component: str) -> _Model:
    """Validate parameters against a model. Raises Unprocessable that lists what is allowed."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        allowed = "; ".join(f"{field.alias or name}: {field.description}" for name, field in model.model_fields.items())
        raise Unprocessable(
            "invalid_parameters",
            f"{component} does not accept these parameters: {in_words(error)}.",
            f"Allowed: {allowed}.",
        ) from error


def _write_manifest(
    source: Source, detection: Detection, info: registry.DatasetInfo, parameters: dict[str, JsonValue], outputs: Outputs
) -> Output:
    """Write the manifest as the last output. It depends only on the input and the code."""
    files: list[JsonValue] = [
        {"name": file.name, "media_type": file.media_type, "sha256": file.sha256, "size_bytes": file.size_bytes}
        for file in outputs.files
    ]
    manifest: dict[str, JsonValue] = {
        "manifest_version": MANIFEST_VERSION,
        "input": {"sha256": source.sha256, "size_bytes": source.size_bytes},
        "detection": {
            "detector_version": detection.detector_version,
            "dataset_type": info.dataset_type,
            "band": detection.band,
            "likeliest": detection.likeliest,
            "confidence": detection.confidence,
            "layout": detection.columns.layout,
            "columns": {
                role: {"column": found.column, "position": found.position, "how": found.how}
                for role, found in detection.columns.roles.items()
                if info.dataset_type == detection.likeliest
            },
        },
        "pipeline": {"name": info.name, "version": info.version},
        "parameters": parameters,
        "outputs": files,
    }
    write_json(described("manifest", manifest), outputs.new("manifest.json", "application/json"))
    return outputs.files[-1]
