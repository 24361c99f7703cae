"""The fixtures of tests/assay."""

from tests.assay.analyses import make_source, run

__all__ = ["make_source", "run"]
