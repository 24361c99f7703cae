"""What a file may be, by the events of functions/download."""

from __future__ import annotations

import csv
import json

import jsonschema_rs
import pytest

from assay.detection.rules import Rules
from functions.download.app import handler
from shared.catalog.registry import pipelines
from shared.sign_in.auth import User
from tests.api import Client
from tests.issuer import Issuer
from tools.openapi import document


@pytest.fixture
def client(issuer: Issuer, user: User) -> Client:
    client = Client(handler, issuer, user.owner)
    client.token = ""  # nobody needs to sign in to read what is the same for all
    return client


def test_all_types_are_listed_with_what_their_folders_say(client: Client) -> None:
    answer = client.call("GET", "/dataset-types")
    assert answer.status == 200
    found = {one["dataset_type"]: one for one in answer.json()["dataset_types"]}
    assert found.keys() == {info.dataset_type for info in pipelines()}
    for info in pipelines():
        one, rules = found[info.dataset_type], Rules.model_validate_json((info.folder / "rules.json").read_bytes())
        assert (one["pipeline"], one["pipeline_version"]) == (info.name, info.version)
        assert (one["title"], one["description"], one["fallback"]) == (rules.title, rules.description, rules.fallback)
        assert [column["role"] for column in one["columns"]] == [column.role for column in rules.columns]
        needed = [{frozenset(roles) for roles in group} for group in one["needs"]]
        assert needed == [set(group) for group in rules.alternatives]


def test_the_answer_is_as_documented(client: Client) -> None:
    schemas = document()["components"]["schemas"]
    schema = {"$ref": "#/components/schemas/DatasetTypes", "components": {"schemas": schemas}}
    jsonschema_rs.validate(schema, client.call("GET", "/dataset-types").json())


@pytest.mark.parametrize("name", [info.dataset_type for info in pipelines()])
def test_the_example_is_a_file_of_that_type(client: Client, name: str) -> None:
    [path] = [
        one["example"]
        for one in client.call("GET", "/dataset-types").json()["dataset_types"]
        if one["dataset_type"] == name
    ]
    answer = client.call("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert f'filename="{name}.csv"' in answer.headers["content-disposition"]
    header, *rows = csv.reader(answer.body.splitlines())
    assert len(rows) >= 10
    assert {len(row) for row in rows} == {len(header)}


@pytest.mark.parametrize("name", ["poem", "..", "%2e%2e%2ftable", "Table", "table.csv"])
def test_a_type_that_there_is_not_has_no_example(client: Client, name: str) -> None:
    answer = client.call("GET", f"/dataset-types/{name}/example")
    assert answer.status == 404
    assert json.loads(answer.body)["code"] in {"unknown_dataset_type", "not_found"}
