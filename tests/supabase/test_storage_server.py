"""`make test-storage` without a source to build does not pass for a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.supabase.storage_server import main


def test_without_the_source_it_says_what_to_set_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for source in ("", str(tmp_path)):
        assert main(source) == 2
        assert "Set SUPABASE_STORAGE_SRC to a folder" in capsys.readouterr().err
