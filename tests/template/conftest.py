"""Fixtures: template.yaml as plain data, as CloudFormation sees it once a storage is chosen."""

from pathlib import Path
from typing import Any

import pytest

from tests.cloudformation import read_template

ROOT = Path(__file__).parents[2]

Resources = dict[str, dict[str, Any]]

_NOTHING = {"Ref": "AWS::NoValue"}


def _chosen(node: object, conditions: dict[str, bool]) -> Any:
    """Resolve every Fn::If on these conditions, and leave out what it leaves out."""
    if isinstance(node, list):
        items = [_chosen(item, conditions) for item in node]
        return [item for item in items if item != _NOTHING]
    if not isinstance(node, dict):
        return node
    if "Fn::If" in node:
        name, then, otherwise = node["Fn::If"]
        return _chosen(then if conditions[name] else otherwise, conditions) if name in conditions else node
    resolved = {key: _chosen(value, conditions) for key, value in node.items()}
    return {key: value for key, value in resolved.items() if value != _NOTHING}


@pytest.fixture(scope="session", params=["s3", "supabase"])
def storage(request: pytest.FixtureRequest) -> str:
    """Return each value that the parameter Storage may have."""
    return str(request.param)


@pytest.fixture(scope="session")
def template(storage: str) -> dict[str, Any]:
    """Return the whole template as it is with this storage, a key of one's own and a reserve for the API."""
    loaded = read_template()
    conditions = {"HasKmsKey": True, "HasApiReserve": True} | {
        name: condition["Fn::Equals"][1] == storage
        for name, condition in loaded["Conditions"].items()
        if condition.get("Fn::Equals", [None])[0] == {"Ref": "Storage"}
    }
    found: dict[str, Any] = _chosen(loaded, conditions)
    for part in ("Resources", "Outputs"):
        found[part] = {name: item for name, item in found[part].items() if conditions.get(item.get("Condition"), True)}
    return found


@pytest.fixture(scope="session")
def resources(template: dict[str, Any]) -> Resources:
    """Return its resources by logical id."""
    found: Resources = template["Resources"]
    return found


@pytest.fixture(scope="session")
def functions(resources: Resources) -> Resources:
    """Return the properties of each function by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


@pytest.fixture(scope="session")
def routes(functions: Resources) -> list[tuple[str, str]]:
    """Return every route of the API: (function's logical id, "METHOD /path")."""
    return [
        (name, f"{event['Properties']['Method']} {event['Properties']['Path']}")
        for name, function in functions.items()
        for event in function["Events"].values()
        if event["Type"] == "HttpApi"
    ]
