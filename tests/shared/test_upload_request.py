"""What POST /uploads takes, and the code of each refusal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.wire.uploads import UploadRequest

GOOD = {"filename": "river.csv", "size_bytes": 5, "sha256": "AB" * 32}


def test_a_plain_request_gets_the_defaults() -> None:
    request = UploadRequest.model_validate(GOOD)
    assert request.sha256 == "ab" * 32
    assert (request.dataset_type, request.parameters, request.on_duplicate) == (None, {}, "reuse")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"filename": "../river.csv"}, "invalid_filename"),
        ({"filename": "a\\b.csv"}, "invalid_filename"),
        ({"filename": "a\x00b.csv"}, "invalid_filename"),
        ({"filename": "a\nb.csv"}, "invalid_filename"),
        ({"filename": "gnp\u202efdp.csv"}, "invalid_filename"),
        ({"filename": "a\u200bb.csv"}, "invalid_filename"),
        ({"filename": "\ufeffa.csv"}, "invalid_filename"),
        ({"filename": ".."}, "invalid_filename"),
        ({"filename": "  "}, "invalid_filename"),
        ({"filename": "x" * 256}, "invalid_filename"),
        ({"sha256": "g" * 64}, "invalid_sha256"),
        ({"sha256": "a" * 63}, "invalid_sha256"),
        ({"sha256": "é" * 64}, "invalid_sha256"),
        ({"size_bytes": 0}, "empty_file"),
        ({"size_bytes": -1}, "empty_file"),
        ({"parameters": {"a": "\x00"}}, "invalid_parameters"),
        ({"parameters": {"a": float("nan")}}, "invalid_parameters"),
        ({"parameters": {"a": "x" * 70_000}}, "invalid_parameters"),
        ({"parameters": {"a": [{"b\x00": 1}]}}, "invalid_parameters"),
        ({"parameters": {"a": "\ud800"}}, "invalid_parameters"),
    ],
)
def test_a_bad_field_is_named_with_a_suggestion(change: dict[str, object], code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        UploadRequest.model_validate({**GOOD, **change})
    [error] = caught.value.errors()
    assert error["type"] == code
    assert error["ctx"]["suggestion"]


def test_parameters_may_name_what_only_looks_like_trouble() -> None:
    parameters = {"template": ["NaNO3", "Infinity Pool", "a\\u0000b"]}
    assert UploadRequest.model_validate({**GOOD, "parameters": parameters}).parameters == parameters


def test_a_whole_number_may_have_a_point() -> None:
    assert UploadRequest.model_validate_json(json.dumps({**GOOD, "size_bytes": 5.0})).size_bytes == 5


@pytest.mark.parametrize("change", [{"on_duplicate": "replace"}, {"owner": "me"}, {"size_bytes": "many"}])
def test_what_is_not_in_the_schema_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        UploadRequest.model_validate({**GOOD, **change})


@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"], exclude_characters="/\\")
        | st.sampled_from("\u200c\u200d"),
        min_size=1,
        max_size=255,
    )
)
def test_any_other_name_is_kept_as_it_is(name: str) -> None:
    if name.strip() and name not in {".", ".."}:
        text = json.dumps({**GOOD, "filename": name})
        assert UploadRequest.model_validate_json(text).filename == name
