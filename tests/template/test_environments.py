"""More than one environment: stacks that share an account, and the settings that each Supabase project is given."""

from __future__ import annotations

import tomllib
from typing import Any

from tests.cloudformation import read_template

from .conftest import ROOT, Resources

DEPLOY_PAGE = (ROOT / "docs/deploy.md").read_text("utf-8")


def read_toml(path: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / path).read_text("utf-8"))


def environments() -> dict[str, Any]:
    return {name: table for name, table in read_toml("samconfig.toml").items() if isinstance(table, dict)}


def test_every_environment_is_a_stack_of_its_own_deployed_in_the_same_way() -> None:
    stacks = {name: table["global"]["parameters"]["stack_name"] for name, table in environments().items()}
    assert stacks == {"default": "assay", "staging": "assay-staging"}
    assert len({str(table["deploy"]) for table in environments().values()}) == 1
    for name in stacks.keys() - {"default"}:
        assert f"--config-env {name}" in DEPLOY_PAGE


def test_no_name_is_that_of_another_stack() -> None:
    names = {
        (name, key): value
        for name, resource in read_template()["Resources"].items()
        for key, value in [*resource["Properties"].items(), *resource["Properties"].get("Budget", {}).items()]
        if key.endswith("Name") and key != "MetricName"
    }
    assert {key for _, key in names} == {"BucketName", "BudgetName", "DashboardName", "LogGroupName"}
    assert [place for place, value in names.items() if "${AWS::StackName}" not in value["Fn::Sub"]] == []


def test_nobody_signs_up_unless_somebody_opens_it() -> None:
    auth = read_toml("supabase/config.toml")["auth"]
    assert (auth["enable_signup"], auth["enable_anonymous_sign_ins"]) == (False, False)
    assert auth["email"] == {"enable_signup": True, "enable_confirmations": True}
    for name in ("enable_signup", "enable_confirmations", "[auth.captcha]"):
        assert name in DEPLOY_PAGE


def test_a_bucket_outlives_its_stack_but_no_first_deployment_that_failed(storage: str, resources: Resources) -> None:
    kept = {name: item for name, item in resources.items() if "DeletionPolicy" in item or "UpdateReplacePolicy" in item}
    assert set(kept) == ({"Bucket"} if storage == "s3" else set())
    for bucket in kept.values():
        assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
