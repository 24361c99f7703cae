"""Write the TypeScript types of the charts' data from assay/page/chart_data.py: `python -m tools.chart_types`."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from types import NoneType, UnionType
from typing import Literal, get_args, get_origin, get_type_hints, is_typeddict

from assay.page import chart_data

TARGET = Path(__file__).parents[1] / "web" / "dashboard" / "chart-data.ts"
_HEAD = "// Generated from assay/page/chart_data.py by `make chart-types`. Do not edit.\n"
_NAMES = {str: "string", bool: "boolean", int: "number", float: "number", NoneType: "null"}


def typescript() -> str:
    """Return what chart-data.ts must hold. Raises TypeError for a type that has no counterpart here."""
    interfaces = [_interface(kind) for kind in vars(chart_data).values() if is_typeddict(kind)]
    return "\n".join([_HEAD, *interfaces, f"export type ChartData = {_type(chart_data.ChartData)};\n"])


def _interface(kind: type) -> str:
    comment = inspect.getdoc(kind) or ""
    lines = "".join(f" * {line}".rstrip() + "\n" for line in comment.splitlines())
    fields = "".join(f"  {name}: {_type(hint)};\n" for name, hint in get_type_hints(kind).items())
    return f"/**\n{lines} */\nexport interface {kind.__name__} {{\n{fields}}}\n"


def _type(hint: object) -> str:
    if isinstance(hint, type) and (hint in _NAMES or is_typeddict(hint)):
        return _NAMES.get(hint, hint.__name__)
    arguments = get_args(hint)
    if get_origin(hint) is Literal:
        return " | ".join(json.dumps(value) for value in arguments)
    if isinstance(hint, UnionType):
        return " | ".join(map(_type, arguments))
    if get_origin(hint) is list:
        (item,) = map(_type, arguments)
        return f"({item})[]" if " " in item else f"{item}[]"
    raise TypeError(f"{hint} has no counterpart in TypeScript: add it to tools/chart_types.py")


if __name__ == "__main__":
    TARGET.write_text(typescript(), encoding="utf-8")
