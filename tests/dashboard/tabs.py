"""How a test opens a page in the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page as Tab

from assay.page.model import Page

OpenPage = Callable[[Page], Tab]
OpenFile = Callable[[Path], Tab]
