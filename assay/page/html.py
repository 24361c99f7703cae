"""One dashboard as one HTML file: it opens from disk, needs no network, and may run no script but its own."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from assay.page.charts import charts
from assay.page.markup import ICONS, escape, figures, findings, note
from assay.page.model import Page
from assay.page.tables import tables

MAX_BYTES = 1_500_000
_TABLE_BYTES = 400_000
# Left for the tags of the document itself.
_FRAME_BYTES = 4_000
_BUILT = Path(__file__).with_name("built")
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='4' fill='%231d4f91'/%3E"
    "%3Cpath d='M3 11l3-4 3 2 4-5' fill='none' stroke='%23fff' stroke-width='1.8'/%3E%3C/svg%3E"
)


def write_page(page: Page, path: Path) -> None:
    """Write the page, at most 1.5 MB, the same bytes for the same page.

    Raises FileNotFoundError where the script and the style were not built, and ValueError for a page whose dates do
    not ascend or whose rows do not fit its columns.
    """
    path.write_bytes(_document(page).encode())


def _document(page: Page) -> str:
    script, style = _built("dashboard.js"), _built("dashboard.css")
    head = (
        f"<header><h1>{escape(page.title)}</h1>{note(page.subtitle, 'subtitle')}</header><main>"
        f"{figures(page.figures)}{findings(page.findings)}"
    )
    bottom = tables(page.tables, _TABLE_BYTES)
    taken = sum(len(part.encode()) for part in (script, style, ICONS, head, bottom)) + _FRAME_BYTES
    middle = charts(page, MAX_BYTES - taken)
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f'<title>{escape(page.title)}</title><link rel="icon" href="{_ICON}"><style>{style}</style></head>'
        f"<body>{ICONS}{head}{middle}{bottom}</main>"
        "<footer><p>Made by Assay. Everything on this page is in this one file; it loads nothing.</p></footer>"
        f"<script>{script}</script></body></html>\n"
    )


def _built(name: str) -> str:
    try:
        return (_BUILT / name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise FileNotFoundError(f"the dashboards' {name} is not built: run make web") from error


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"
