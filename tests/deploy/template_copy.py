"""The template as it is deployed here: template.yaml with the few changes that this machine asks for."""

from __future__ import annotations

from typing import Any

from tests.cloudformation import read_template

_VISIBILITY_SECONDS = 12
_LEASE_SECONDS = 5


def template_copy(code: dict[str, str], object_store: str) -> dict[str, Any]:
    """Read template.yaml and change what cannot be had here.

    `code` is each function's s3:// URI by its logical id, `object_store` is where S3 answers, AWS's or Supabase's.

    - Code lies in S3, as `sam deploy` puts it there; process is a zip rather than an image, for which Docker is needed.
    - Supabase answers on the loopback address, by http; so does S3, hence OBJECT_STORE_ENDPOINT in place of AWS's own,
      and no policy that denies what is not TLS.
    - Supabase's storage answers at another port than the rest of it, hence that same variable in place of what the
      template makes of SupabaseUrl. Region, access key and bucket are what the template gives.
    - MiniStack takes MaximumConcurrency as a number alone, not as a parameter's text.
    - MiniStack asks for a right of its own for SendMessageBatch, where AWS knows sqs:SendMessage alone.
      https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
    - A message comes again after seconds, and a lease ends before that, as it does with the template's own figures.
    """
    template = read_template()
    resources = template["Resources"]
    for name, uri in code.items():
        resources[name]["Properties"]["CodeUri"] = uri
        del resources[name]["Metadata"]

    process = resources["ProcessFunction"]["Properties"]
    (handler,) = process.pop("ImageConfig")["Command"]
    process |= {"PackageType": "Zip", "Runtime": "python3.13", "Handler": handler, "Timeout": _VISIBILITY_SECONDS}
    process["Environment"]["Variables"] |= {"LEASE_SECONDS": str(_LEASE_SECONDS), "RETRY_BASE_SECONDS": "1"}
    process["Events"]["ObjectCreated"]["Properties"]["ScalingConfig"]["MaximumConcurrency"] = 2
    for queue in ("Queue", "NewsQueue"):
        resources[queue]["Properties"]["VisibilityTimeout"] = _VISIBILITY_SECONDS

    for role in ("UploadRole", "ProcessRole"):
        _let_send_batches(resources[role])

    template["Parameters"]["SupabaseUrl"]["AllowedPattern"] = "http://127.0.0.1:[0-9]+"
    template["Globals"]["Function"]["Environment"]["Variables"]["OBJECT_STORE_ENDPOINT"] = object_store
    del resources["BucketPolicy"]
    return template


def _let_send_batches(value: object) -> None:
    """Add the right to every statement that lets send, also within Fn::If."""
    if isinstance(value, list):
        for item in value:
            _let_send_batches(item)
    elif isinstance(value, dict):
        actions = value.get("Action", [])
        actions = [actions] if isinstance(actions, str) else actions
        if "sqs:SendMessage" in actions:
            value["Action"] = [*actions, "sqs:SendMessageBatch"]
        for item in value.values():
            _let_send_batches(item)
