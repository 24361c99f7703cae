"""datapackage.json: what the outputs are, for programs that know the Data Package standard, version 1.

https://specs.frictionlessdata.io/data-package/
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from assay.contract import Output, Outputs
from assay.write.canonical import write_json

_CSV, _PARQUET = "text/csv", "application/vnd.apache.parquet"
# In the input's own dialect, which may be any.
_VERBATIM = "refused.csv"
# Of a CSV that no Parquet file stands beside the types are told from all its rows, up to this size.
_MOST_BYTES = 20_000_000


def write_datapackage(name: str, outputs: Outputs) -> None:
    """Describe the outputs that there are; `name` is of small letters, digits, `.`, `_` and `-`.

    Only CSV is called a table: whoever reads Parquet needs no description, and others can't read it.
    """
    files = {file.name: file for file in outputs.files}
    resources: list[JsonValue] = []
    taken: set[str] = set()
    for file in outputs.files:
        own = file.name.lower()
        while own in taken:
            own += "-2"
        taken.add(own)
        fields = _fields(file, files)
        resource: dict[str, JsonValue] = {
            "name": own,
            "path": file.name,
            "type": "table" if fields and file.media_type == _CSV else "file",
            "mediatype": file.media_type,
            "bytes": file.size_bytes,
            "hash": f"sha256:{file.sha256}",
        }
        if fields:
            resource["schema"] = {"fields": fields}
        if resource["type"] == "table":
            resource["encoding"] = "utf-8"
        resources.append(resource)
    write_json(
        {"name": name, "profile": "data-package", "resources": resources},
        outputs.new("datapackage.json", "application/json"),
    )


def _fields(file: Output, files: Mapping[str, Output]) -> list[JsonValue]:
    """The fields of a table; none of what is no table."""
    if file.media_type == _PARQUET:
        return _described(pl.read_parquet_schema(file.path))
    if file.media_type != _CSV or file.name == _VERBATIM or not file.size_bytes:
        return []
    names = pl.read_csv(file.path, n_rows=0, infer_schema=False).columns
    beside = files.get(Path(file.name).with_suffix(".parquet").name)
    if beside is not None:
        types = [*pl.read_parquet_schema(beside.path).values()]
    elif file.size_bytes <= _MOST_BYTES:
        types = [*pl.read_csv(file.path, infer_schema_length=None).dtypes]
    else:
        types = [pl.Null()] * len(names)
    if len(types) != len(names):
        return _described(dict.fromkeys(names, pl.Null()))
    return _described(dict(zip(names, types, strict=True)), _with_infinite(beside))


def _with_infinite(beside: Output | None) -> list[str]:
    """The columns of a Parquet file that hold infinite numbers: the standard does not write them as Polars does."""
    if beside is None:
        return []
    schema = pl.read_parquet_schema(beside.path)
    at = {str(number): name for number, (name, dtype) in enumerate(schema.items()) if dtype.is_float()}
    if not at:
        return []
    rows = pl.scan_parquet(beside.path, glob=False).rename({name: str(number) for number, name in enumerate(schema)})
    found = rows.select(pl.col(*at).is_infinite().any()).collect(engine="streaming").row(0, named=True)
    return [at[number] for number, is_so in found.items() if is_so]


def _described(types: Mapping[str, pl.DataType], infinite: list[str] | None = None) -> list[JsonValue]:
    return [
        {"name": name, **({"type": "any"} if name in (infinite or []) else _type(dtype))}
        for name, dtype in types.items()
    ]


def _type(dtype: pl.DataType) -> dict[str, JsonValue]:
    if dtype.is_numeric():
        return {"type": "integer" if dtype.is_integer() else "number"}
    if isinstance(dtype, pl.Datetime | pl.Time):
        return {"type": "time" if isinstance(dtype, pl.Time) else "datetime", "format": "any"}
    known = {pl.Boolean: "boolean", pl.Date: "date", pl.String: "string"}
    return {"type": next((name for kind, name in known.items() if dtype == kind), "any")}
