"""Takes the pictures that the README shows: `python -m tests.dashboard.screenshots`, one a dataset type, into docs/."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize

from assay.run import Analysis
from tests.assay.analyses import run_in, write_source
from tests.assay.outputs import path_of
from tests.dashboard.chromium import NAMES, program, started

ROOT = Path(__file__).parents[2]
EXAMPLES = {
    "station_measurements": ROOT / "examples" / "station_measurements.csv",
    "transactions": ROOT / "examples" / "transactions.csv",
    "table": ROOT / "assay" / "datasets" / "table" / "example.csv",
}
# Two pixels a point would be sharper, and three times the bytes.
_SIZE: ViewportSize = {"width": 1200, "height": 1350}


def dashboard_of(dataset_type: str, folder: Path) -> Path:
    """Analyse the example of a dataset type and give the path of its page."""
    example = EXAMPLES[dataset_type]
    source = write_source(folder / "upload", example.read_bytes(), example.name)
    found = run_in(folder / "outputs", source, dataset_type=dataset_type)
    assert isinstance(found, Analysis)
    return path_of(found, "dashboard.html")


def main() -> None:
    """Write docs/dashboard-{dataset type}.png."""
    browser_program = program()
    if browser_program is None:
        sys.exit(f"none of {', '.join(NAMES)} is installed")
    with started(browser_program) as browser:
        context = browser.new_context(viewport=_SIZE, color_scheme="light")
        for dataset_type in EXAMPLES:
            with tempfile.TemporaryDirectory() as folder:
                tab = context.new_page()
                tab.goto(dashboard_of(dataset_type, Path(folder)).as_uri())
                tab.locator(".panel canvas").first.wait_for()
                tab.wait_for_load_state("networkidle")
                path = ROOT / "docs" / f"dashboard-{dataset_type}.png"
                tab.screenshot(path=path)
                sys.stdout.write(f"{path.relative_to(ROOT)} {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
