"""Fixtures: template.yaml as plain data, with CloudFormation's short forms spelled out."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]

Resources = dict[str, dict[str, Any]]


class _Loader(yaml.SafeLoader):
    """Reads `!Sub x` as {"Fn::Sub": "x"}, and so on."""


def _intrinsic(loader: _Loader, name: str, node: yaml.Node) -> dict[str, object]:
    key = name if name in {"Ref", "Condition"} else f"Fn::{name}"
    if isinstance(node, yaml.ScalarNode):
        return {key: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {key: loader.construct_sequence(node, deep=True)}
    raise TypeError(f"unexpected node below !{name}")


_Loader.add_multi_constructor("!", _intrinsic)


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """Return the whole template."""
    loaded: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text("utf-8"), Loader=_Loader)  # noqa: S506 - safe
    return loaded


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
