"""Deploys the template to a Cloud, and knows where its parts are then."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from botocore.exceptions import WaiterError

from local import processes
from local.home import PROJECT
from tests.deploy.cloud import REGION, Cloud
from tests.deploy.packages import pack
from tests.deploy.template_copy import template_copy
from tests.supabase.gateway import Gateway
from tests.supabase.storage import StorageFront
from tests.supabase.storage_http import REGION as STORAGE_REGION

STACK = "assay"
HOOK_SECRET = "a secret of at least 32 characters"
_CODE_BUCKET = "code"
_SWEEP = PROJECT / "events" / "process-sweep.json"


@dataclass(frozen=True)
class Deployment:
    """A deployed stack; `url` is where its HTTP API answers.

    `front` is Supabase Storage if files lie there, `resources` are all parts: (type, physical id) by logical id.
    """

    cloud: Cloud
    project: Gateway
    front: StorageFront | None
    url: str
    outputs: Mapping[str, str]
    resources: Mapping[str, tuple[str, str]] = field(repr=False)

    def physical_id(self, logical_id: str) -> str:
        return self.resources[logical_id][1]

    def tell(self) -> None:
        """Deliver the oldest webhook of Supabase Storage; S3 has told the queue itself."""
        if self.front is not None:
            assert self.hint(self.front.webhooks.pop(0), HOOK_SECRET).status_code == 202

    def hint(self, body: bytes, secret: str) -> httpx.Response:
        """Send a webhook as the database does."""
        headers = {"content-type": "application/json", "x-assay-hook-secret": secret}
        return httpx.post(f"{self.url}/events/storage", content=body, headers=headers, trust_env=False, timeout=30)

    def sweep(self) -> None:
        """Call process as its schedule does, once a minute, and wait for its end."""
        answer = self.cloud.client("lambda").invoke(
            FunctionName=self.physical_id("ProcessFunction"), Payload=_SWEEP.read_bytes()
        )
        assert "FunctionError" not in answer, answer["Payload"].read()

    def watch(self, seconds: float) -> Callable[[object], None]:
        """Return what fails the test when it is called after so many seconds; it tells what the functions logged."""
        deadline = time.monotonic() + seconds

        def check(state: object) -> None:
            if time.monotonic() > deadline:
                raise AssertionError(f"after {seconds} s: {state}\n{self._said()}")

        return check

    def _said(self) -> str:
        """What the functions logged, and MiniStack's last lines."""
        logs = self.cloud.client("logs")
        groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
        said = [event["message"] for group in groups for event in logs.filter_log_events(logGroupName=group)["events"]]
        return "\n".join([*said, processes.tail(self.cloud.log)])


def deploy(cloud: Cloud, project: Gateway, front: StorageFront | None, packages: Mapping[str, Path]) -> Deployment:
    """Deploy the packages (folders, by their functions' logical ids) as `sam deploy` does, and wait for its end.

    Files lie in `front`, or else in a bucket of the stack.
    """
    s3, cloudformation = cloud.s3(), cloud.cloudformation()
    s3.create_bucket(Bucket=_CODE_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    code = {}
    for name, folder in packages.items():
        archive = pack(folder)
        s3.upload_file(str(archive), _CODE_BUCKET, archive.name)
        archive.unlink()
        code[name] = f"s3://{_CODE_BUCKET}/{archive.name}"
    parameters = {
        "SupabaseUrl": project.url,
        "SupabasePublishableKey": project.publishable_key,
        "SupabaseSecretKeySecret": cloud.make_secret("assay/supabase-secret-key", project.secret_key),
        "AllowedOrigins": "http://localhost:3000",
    }
    if front is not None:
        key_id, secret = front.key
        access_key = json.dumps({"access_key_id": key_id, "secret_access_key": secret})
        parameters |= {
            "Storage": "supabase",
            "StorageRegion": STORAGE_REGION,
            "StorageAccessKeySecret": cloud.make_secret("assay/storage-access-key", access_key),
            "StorageHookSecret": cloud.make_secret("assay/storage-hook-secret", HOOK_SECRET),
        }
    object_store = cloud.endpoint if front is None else front.endpoint
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(template_copy(code, object_store)),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    try:
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    except WaiterError as error:
        events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
        reasons = [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in events]
        raise RuntimeError("the stack was not deployed:\n" + "\n".join(reasons)) from error
    described = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described}
    listed = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    made = {part["LogicalResourceId"]: (part["ResourceType"], part["PhysicalResourceId"]) for part in listed}
    _add_routes(cloud, {logical_id: physical_id for logical_id, (_, physical_id) in made.items()})
    return Deployment(
        cloud,
        project,
        front,
        url=f"{cloud.endpoint}/_aws/execute-api/{made['Api'][1]}/$default",
        outputs=outputs,
        resources=made,
    )


def _add_routes(cloud: Cloud, made: Mapping[str, str]) -> None:
    """Import the OpenAPI document that the SAM transform wrote, which MiniStack does not."""
    gateway = cloud.client("apigatewayv2")
    processed: Any = cloud.cloudformation().get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
    resources = (json.loads(processed) if isinstance(processed, str) else processed)["Resources"]
    integrations: dict[str, str] = {}
    for route, function in sorted(_routes(resources["Api"]["Properties"]["Body"])):
        if function not in integrations:
            integrations[function] = gateway.create_integration(
                ApiId=made["Api"],
                IntegrationType="AWS_PROXY",
                IntegrationUri=f"arn:aws:lambda:{REGION}:000000000000:function:{made[function]}",
                PayloadFormatVersion="2.0",
            )["IntegrationId"]
        gateway.create_route(ApiId=made["Api"], RouteKey=route, Target=f"integrations/{integrations[function]}")


def _routes(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each route of an OpenAPI document with its integrations, and the logical id of the function that answers."""
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            integration = operation["x-amazon-apigateway-integration"]
            assert (integration["type"], integration["payloadFormatVersion"]) == ("aws_proxy", "2.0")
            function = integration["uri"]["Fn::Sub"].split("${")[-1].removesuffix(".Arn}/invocations")
            yield path if path == "$default" else f"{method.upper()} {path}", function
