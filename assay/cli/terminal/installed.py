"""Check optional parts: the local stack (in a checkout) and the data engine (the extra `analyse`)."""

from __future__ import annotations

from importlib.util import find_spec

from assay.client import refused

# The extra's packages, by the names that they are imported by.
_ENGINE = ("charset_normalizer", "numpy", "polars", "polars_hash", "python_calamine", "xlsxwriter", "zstandard")


def has_stack() -> bool:
    """Whether the local stack is installed."""
    return find_spec("local") is not None and find_spec("local.stack") is not None


def require_stack() -> None:
    """Raise Refused if the local stack is not installed."""
    if not has_stack():
        raise refused(
            501,
            "stack_not_installed",
            "The local stack is not installed.",
            "The local stack is part of a checkout of Assay; this installation has only the command.",
            "Run `make setup` in a checkout and use its .venv/bin/assay, or use another Assay with --url and --token.",
        )


def require_engine() -> None:
    """Raise Refused if the extra `analyse` is not installed."""
    missing = [name for name in _ENGINE if find_spec(name) is None]
    if missing:
        raise refused(
            501,
            "engine_not_installed",
            "The data engine is not installed.",
            f"Reading and analysing local files needs the extra `analyse`; missing: {', '.join(missing)}.",
            "Install it from a checkout of Assay: pip install '.[analyse]'",
        )
