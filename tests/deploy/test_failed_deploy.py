"""A first deployment that fails leaves nothing in the way of the next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.exceptions import WaiterError

from tests.cloudformation import read_template
from tests.deploy.cloud import Cloud
from tests.deploy.deployment import Deployment

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import WaiterConfigTypeDef

_STACK = "first-failed"
_PATIENCE: Final[WaiterConfigTypeDef] = {"Delay": 1, "MaxAttempts": 30}
_PARTS = ("Bucket", "NewsQueue", "NewsQueuePolicy", "DeadLetterQueue")
_TOO_LONG = {"Type": "AWS::SQS::Queue", "DependsOn": "Bucket", "Properties": {"VisibilityTimeout": 43201}}  # a second


def _template(**more: dict[str, Any]) -> str:
    """The template's bucket, what it needs, and `more`."""
    whole = read_template()
    parameters = {name: parameter for name, parameter in whole["Parameters"].items() if "Default" in parameter}
    parts = {name: whole["Resources"][name] for name in _PARTS}
    parts["Bucket"]["Properties"]["CorsConfiguration"]["CorsRules"][0]["AllowedOrigins"] = ["http://localhost:3000"]
    conditions = whole["Conditions"]
    return json.dumps({"Parameters": parameters, "Conditions": conditions, "Resources": parts | more})


def _buckets(cloud: Cloud) -> list[str]:
    return [name for bucket in cloud.s3().list_buckets()["Buckets"] if (name := bucket["Name"]).startswith(_STACK)]


def _create(cloud: Cloud, template: str) -> None:
    """Create the stack and wait for its end. Raises WaiterError once it has failed and was rolled back."""
    cloud.cloudformation().create_stack(StackName=_STACK, TemplateBody=template)
    cloud.cloudformation().get_waiter("stack_create_complete").wait(StackName=_STACK, WaiterConfig=_PATIENCE)


def _delete(cloud: Cloud) -> None:
    cloud.cloudformation().delete_stack(StackName=_STACK)
    cloud.cloudformation().get_waiter("stack_delete_complete").wait(StackName=_STACK, WaiterConfig=_PATIENCE)


def test_the_bucket_of_a_first_deployment_that_failed_is_not_in_the_way(deployment: Deployment) -> None:
    cloud = deployment.cloud
    with pytest.raises(WaiterError):
        _create(cloud, _template(TooLong=_TOO_LONG))
    events = cloud.cloudformation().describe_stack_events(StackName=_STACK)["StackEvents"]
    reasons = {event["LogicalResourceId"]: event.get("ResourceStatusReason") for event in reversed(events)}
    assert "VisibilityTimeout" in (reasons["TooLong"] or ""), "it failed for another reason"
    assert _buckets(cloud) == []

    _delete(cloud)
    _create(cloud, _template())
    _delete(cloud)
    assert len(_buckets(cloud)) == 1, "the bucket of a stack that was in use is kept"
