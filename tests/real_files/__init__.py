"""Small files of the kinds that people have, and what must become of each."""

from __future__ import annotations

from local.home import PROJECT

PAGE = PROJECT / "docs" / "real-files.md"
