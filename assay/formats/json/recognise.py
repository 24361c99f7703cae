"""Is a text JSON or NDJSON?"""

from __future__ import annotations

import codecs
import json
import re
from pathlib import PurePath

from assay.contract import Source
from assay.formats.head import wide
from assay.formats.limits import HEAD_BYTES

JSON, NDJSON = "json", "ndjson"
_LINES = {".ndjson", ".jsonl", ".jsonlines"}


def kind_of(source: Source, head: bytes) -> str | None:  # noqa: PLR0911 - one for each way to begin
    """Return json or ndjson where the text begins as that, and not only with a letter of it, as `[id],[name]` does."""
    extension = PurePath(source.filename).suffix.lower()
    head = head.removeprefix(codecs.BOM_UTF8)
    try:
        text = head.decode(wide(head) or "utf-8", "ignore").lstrip("\ufeff \t\r\n")
    except UnicodeError:
        return None
    if text[:1] not in ("{", "["):
        return None
    whole = len(head) < HEAD_BYTES - 4
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except RecursionError:
        return JSON
    except json.JSONDecodeError as error:
        if whole and extension not in {".json", *_LINES}:
            # What breaks off, or has a slip far from its beginning, is broken JSON, and no other text.
            return JSON if error.pos > len(text) // 2 and re.match(r'\[\s*[\[{]|\{\s*"', text) else None
        return JSON if re.match(r'[\[{]\s*(?:["\[{\]}]|$)', text) or extension == ".json" else None
    rest = text[end:].lstrip()
    if isinstance(value, dict):
        return NDJSON if rest[:1] == "{" or extension in _LINES else (None if rest else JSON)
    if rest:
        return NDJSON if rest[:1] == "[" else None
    return JSON if extension == ".json" or any(isinstance(one, dict | list) for one in value) else None
