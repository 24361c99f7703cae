"""Prevent building a wheel without the dashboards' script and style, which are not in git."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RequireDashboard(BuildHookInterface):  # type: ignore[type-arg]  # the type parameter is the configuration, unused
    """Runs before hatchling builds a wheel. An editable wheel does not need the script."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        """Raise FileNotFoundError if a file is missing."""
        built = Path(self.root, "assay", "page", "built")
        missing = [name for name in ("dashboard.js", "dashboard.css") if not (built / name).is_file()]
        if version != "editable" and missing:
            raise FileNotFoundError(f"assay/page/built has no {' and no '.join(missing)}: run `make web` first")
