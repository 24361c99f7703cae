"""docs/deploy.md and the workflows speak of the template as it is."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

from .conftest import ROOT, Resources

DEPLOY_PAGE = (ROOT / "docs/deploy.md").read_text("utf-8")


def workflow(name: str) -> dict[Any, Any]:
    """Return a workflow; YAML 1.1 reads its key `on` as true."""
    loaded: dict[Any, Any] = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text("utf-8"))
    return loaded


def runs(job: dict[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in job["steps"])


def test_the_page_names_every_parameter(template: dict[str, Any]) -> None:
    assert [
        name for name in template["Parameters"] if f"{name}=" not in DEPLOY_PAGE and f"`{name}`" not in DEPLOY_PAGE
    ] == []


def test_the_page_explains_every_alarm(resources: Resources) -> None:
    alarms = {name for name, resource in resources.items() if resource["Type"] == "AWS::CloudWatch::Alarm"}
    explained = set(re.findall(r"`(\w+Alarm)`", DEPLOY_PAGE))
    assert explained == alarms


def test_the_page_and_the_workflow_use_one_version_of_the_supabase_command() -> None:
    text = DEPLOY_PAGE + runs(workflow("deploy")["jobs"]["deploy"])
    assert len(set(re.findall(r"supabase@([\d.]+)", text))) == 1


def test_the_workflow_runs_what_ci_runs_on_the_oldest_python_and_on_lambda_s(functions: Resources) -> None:
    (job,) = workflow("test")["jobs"].values()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    runtimes = {function["Runtime"].removeprefix("python") for function in functions.values() if "Runtime" in function}
    assert set(job["strategy"]["matrix"]["python"]) == {project["requires-python"].removeprefix(">="), *runtimes}
    assert ".ci/run" in runs(job)


def test_the_database_is_migrated_before_the_functions_are_deployed() -> None:
    steps = runs(workflow("deploy")["jobs"]["deploy"])
    assert 0 < steps.index("db push --remote") < steps.index("sam deploy")


@pytest.mark.parametrize("name", ["test", "deploy"])
def test_a_workflow_has_no_right_but_those_that_its_jobs_name(name: str) -> None:
    assert workflow(name)["permissions"] == {}
    for job in workflow(name)["jobs"].values():
        rights = {"contents": "read"} | ({"id-token": "write"} if "environment" in job else {})
        assert job["permissions"] == rights
