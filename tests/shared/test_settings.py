""".env.example names every setting, with its default, and says which of them is secret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr, ValidationError

from shared.settings import Settings, settings

EXAMPLE = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")
# The lines above a variable that say what it is, whether it is left to its default, its name, its value.
ENTRIES = re.findall(r"((?:^# .*\n)*)^(#?)([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE)
NO_SECRET = {"SUPABASE_PUBLISHABLE_KEY"}


def test_every_setting_is_named_once() -> None:
    assert sorted(name for _, _, name, _ in ENTRIES) == sorted(name.upper() for name in Settings.model_fields)


def test_what_is_secret_is_marked() -> None:
    marked = {name for comment, _, name, _ in ENTRIES if "Secret." in comment}
    secret = {
        name.upper()
        for name, field in Settings.model_fields.items()
        if SecretStr in (field.annotation, *get_args(field.annotation))
    }
    assert marked == secret - NO_SECRET


def test_no_secret_has_a_value() -> None:
    assert [name for comment, _, name, value in ENTRIES if "Secret." in comment and value] == []


def test_the_example_is_read_and_its_defaults_are_the_code_s(monkeypatch: pytest.MonkeyPatch) -> None:
    for _, left_out, name, value in ENTRIES:
        monkeypatch.delenv(name, raising=False)
        if not left_out:
            monkeypatch.setenv(name, value)
    settings.cache_clear()
    given = settings()
    for _, left_out, name, value in ENTRIES:
        if left_out and value:
            monkeypatch.setenv(name, value)
    settings.cache_clear()
    assert settings() == given
    settings.cache_clear()


@pytest.mark.parametrize(
    "changes", [{"QUEUE_URL": ""}, {"STORAGE_HOOK_SECRET": "too-short-a-secret"}, {"LEASE_SECONDS": "0"}], ids=str
)
def test_what_is_wrong_is_said_without_a_secret(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]) -> None:
    for _, _, name, _ in ENTRIES:
        monkeypatch.delenv(name, raising=False)
    given = {
        "SUPABASE_URL": "https://abc.supabase.co",
        "SUPABASE_SECRET_KEY": "sb_secret_of-this-test",
        "OBJECT_STORE_BUCKET": "assay",
        "OBJECT_STORE_ACCESS_KEY_ID": "id",
        "OBJECT_STORE_SECRET_ACCESS_KEY": "secret-of-this-test",
        "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/assay",
        "NEWS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/assay-news",
    }
    for name, value in (given | changes).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    with pytest.raises(ValidationError, match=next(iter(changes)).lower()) as caught:
        settings()
    assert not [word for word in ("of-this-test", "too-short") if word in str(caught.value)]
