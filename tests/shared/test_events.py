"""S3's event notifications, as SQS brings them."""

from __future__ import annotations

import json
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.queue.events import ObjectCreated, objects_created


def notification(*keys: str, event_name: str = "ObjectCreated:Put") -> str:
    records = [
        {"eventName": event_name, "s3": {"bucket": {"name": "assay"}, "object": {"key": quote_plus(key), "size": 5}}}
        for key in keys
    ]
    return json.dumps({"Records": records})


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_every_key_comes_back_as_it_was(keys: list[str]) -> None:
    assert objects_created(notification(*keys)) == [ObjectCreated(key) for key in keys]


def test_a_multipart_upload_counts_and_a_removal_does_not() -> None:
    assert objects_created(notification("a", event_name="ObjectCreated:CompleteMultipartUpload"))
    assert objects_created(notification("a", event_name="ObjectRemoved:Delete")) == []


def test_the_test_event_names_no_object() -> None:
    body = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-21T09:41:58.000Z", "Bucket": "assay"}
    assert objects_created(json.dumps(body)) == []


@pytest.mark.parametrize("body", ["", "{}", "[]", "null", '{"Records": [{}]}', '{"Event": "else"}', '{"Records": []}'])
def test_anything_else_is_refused_loudly(body: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        objects_created(body)
