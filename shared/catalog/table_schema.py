"""What is wrong with a Table Schema that a JSON Schema can't say: names that come twice, keys of no field, patterns.

The pipeline checks it too, but only when the job runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# What Rust's regex has and Python's has not; the rest of a pattern that is right is right to both.
_RUST_ALONE = re.compile(r"\\[pP](?:\{\^?[\w=: ]+\}|\w)|\\x\{[0-9A-Fa-f]+\}|\\[zu](?:\{[0-9A-Fa-f]+\})?")


def fault_of(schema: dict[str, Any]) -> str | None:
    """Say what is wrong and where; None where nothing is. `schema` has the form that its JSON Schema asks for."""
    return next(_faults(schema), None)


def _faults(schema: dict[str, Any]) -> Iterator[str]:
    taken: set[str] = set()
    for at, field in enumerate(schema["fields"]):
        where = f"schema.fields[{at}]"
        for header in (field["name"], *field.get("aliases", [])):
            if header in taken:
                yield f"{where}: {header!r} is the name or an alias of two fields"
            taken.add(header)
        pattern = field.get("constraints", {}).get("pattern")
        if pattern is not None and (why := _broken(pattern)):
            yield f"{where}.constraints.pattern is no regular expression: {why}"
    names = {field["name"] for field in schema["fields"]}
    key = schema.get("primaryKey", [])
    keys = [("primaryKey", [key] if isinstance(key, str) else key)]
    keys += [(f"uniqueKeys[{at}]", unique) for at, unique in enumerate(schema.get("uniqueKeys", []))]
    for what, fields in keys:
        for name in fields:
            if name not in names:
                yield f"schema.{what} names {name!r}, which is no field"


def _broken(pattern: str) -> str | None:
    try:
        re.compile(_RUST_ALONE.sub("x", pattern).replace("(?<", "(?P<"))
    except re.error as error:
        return str(error)
    return None
