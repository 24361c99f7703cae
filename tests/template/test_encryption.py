"""With a key of your own, it encrypts all that is kept, and whoever works with that may use it; without, AWS does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.cloudformation import read_template

from .conftest import ROOT, Resources

KEY = {"Ref": "KmsKey"}
NOTHING = {"Ref": "AWS::NoValue"}
# Where each kind of resource that keeps something names its key; alarms say nothing that is secret.
NAMES_ITS_KEY = {"AWS::SQS::Queue": "KmsMasterKeyId", "AWS::Logs::LogGroup": "KmsKeyId"}


def key_policy() -> dict[str, list[dict[str, Any]]]:
    """The statements of the key's policy in docs/deploy.md, by the service that each lets in."""
    page = (ROOT / "docs/deploy.md").read_text("utf-8")
    (policy,) = (
        json.loads(block)
        for block in re.findall(r"^ *```json\n(.*?)^ *```$", page, flags=re.DOTALL | re.MULTILINE)
        if "kms:" in block
    )
    statements: dict[str, list[dict[str, Any]]] = {}
    for statement in policy["Statement"]:
        service = statement["Principal"].get("Service", "the account")
        statements.setdefault(service, []).append(statement)
    return statements


def choices(node: object) -> Iterator[tuple[object, object]]:
    """What stands with a key, and what without, wherever the template chooses."""
    if isinstance(node, list):
        for item in node:
            yield from choices(item)
    elif isinstance(node, dict):
        if node.get("Fn::If", [None])[0] == "HasKmsKey":
            yield node["Fn::If"][1], node["Fn::If"][2]
        for value in node.values():
            yield from choices(value)


def test_queues_logs_functions_and_bucket_take_the_key(
    storage: str, template: dict[str, Any], resources: Resources
) -> None:
    keeping = {name: item for name, item in resources.items() if item["Type"] in NAMES_ITS_KEY}
    assert {item["Type"] for item in keeping.values()} == set(NAMES_ITS_KEY)
    assert [name for name, item in keeping.items() if item["Properties"].get(NAMES_ITS_KEY[item["Type"]]) != KEY] == []
    # SQS takes one kind of encryption only.
    assert [name for name, item in keeping.items() if "SqsManagedSseEnabled" in item["Properties"]] == []
    assert template["Globals"]["Function"]["KmsKeyArn"] == KEY
    if storage == "s3":
        (rule,) = resources["Bucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule == {
            "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
            "BucketKeyEnabled": True,
        }


def test_without_a_key_aws_s_own_encrypt(template: dict[str, Any]) -> None:
    assert template["Parameters"]["KmsKey"]["Default"] == ""
    without = [other for _, other in choices(read_template())]
    assert without.count("AES256") == 1
    assert without.count(True) == 3, "each queue"
    assert all(other in ("AES256", True, NOTHING) for other in without)


def test_each_role_may_use_the_key_for_what_it_does(resources: Resources) -> None:
    allowed = {
        name: statement["Action"]
        for name, role in resources.items()
        if role["Type"] == "AWS::IAM::Role"
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Resource"] == KEY
    }
    writes = ["kms:Decrypt", "kms:GenerateDataKey"]
    assert allowed == {"UploadRole": writes, "ProcessRole": writes, "DownloadRole": "kms:Decrypt"}


def test_the_key_s_policy_lets_in_who_uses_it_without_a_role_of_ours() -> None:
    policy = key_policy()
    assert set(policy) == {"the account", "logs.REGION.amazonaws.com", "s3.amazonaws.com"}
    (bucket,) = policy["s3.amazonaws.com"]
    assert bucket["Action"] == ["kms:GenerateDataKey", "kms:Decrypt"]
    assert bucket["Condition"]["StringEquals"] == {"aws:SourceAccount": "ACCOUNT"}
    (logs,) = policy["logs.REGION.amazonaws.com"]
    group = read_template()["Resources"]["ApiLogs"]["Properties"]["LogGroupName"]["Fn::Sub"]
    pattern = logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    assert pattern.endswith(":log-group:/assay/*")
    assert group.startswith("/assay/")
