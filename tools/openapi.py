"""Write the OpenAPI document of the whole API, from the handlers of both HTTP functions: `python -m tools.openapi`."""

from __future__ import annotations

import inspect
import json
from typing import Any

from pydantic import BaseModel

from functions.download import app as download
from functions.upload import app as upload
from functions.upload.storage_hook import HEADER
from shared.catalog.registry import dataset_types
from shared.wire.columns import ColumnsRequest
from shared.wire.jobs import TypeChoiceRequest, UploadRequest
from shared.wire.webhooks import WebhookEvent, WebhookRequest

Document = dict[str, Any]

_SECURITY = "access_token"
_HOOK_SECURITY = "hook_secret"
# The resolver's own error shapes; every error of ours is ProblemDetails.
_UNUSED = ("HTTPValidationError", "ResponseValidationError", "ValidationError")
_HEADERS: Document = {
    "Location": {"description": "the signed link", "required": True, "schema": {"type": "string", "format": "uri"}},
    "Retry-After": {"description": "seconds", "required": True, "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"description": "how to sign in", "required": True, "schema": {"const": "Bearer"}},
}
# The tag of each path, by its first part.
_TAGS = {
    "uploads": ("Uploads", "Send files; each becomes a job."),
    "jobs": ("Jobs", "What becomes of a file, from its arrival to its results."),
    "outputs": ("Outputs", "The files that jobs make."),
    "dataset-types": ("Dataset types", "What a file may be."),
    "columns": ("Columns", "Which column is what: the choices that are remembered."),
    "webhooks": ("Webhooks", "URLs that are told when jobs end."),
    "me": ("Account", "The plan, what is used of it, and all that there is."),
    "health": ("Service", "The service itself."),
    "openapi.json": ("Service", "The service itself."),
    "events": ("Service", "The service itself."),
}
_IN_PATH = {
    "choice_id": "the choice's id",
    "job_id": "the job's id",
    "output_id": "the output's id",
    "webhook_id": "the webhook's id",
    "dataset_type": "one of those that GET /dataset-types lists",
}
_WITHOUT_BODY = {"204", "302"}
# What an answer with this status carries, if it is a problem or a redirect.
_HEADER_OF = {"302": "Location", "401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}
_OTHERWISE_SECURED: dict[str, list[dict[str, list[str]]]] = {
    "/health": [],
    "/dataset-types": [],
    "/dataset-types/{dataset_type}/example": [],
    "/openapi.json": [],
    "/events/storage": [{_HOOK_SECURITY: []}],
}


def document() -> Document:
    """Return the document: the routes of both functions with their bodies and headers, and the sign-in."""
    merged: Document = {"paths": {}, "components": {"schemas": {}}}
    for api in (upload.api, download.api):
        part = json.loads(
            api.get_openapi_json_schema(
                title="Assay",
                version="1",
                description="Turns data files into audited results.",
                openapi_version="3.1.0",
            )
        )
        # Both functions may answer one path, each by methods of its own.
        paths = dict(merged["paths"])
        for path, methods in part["paths"].items():
            paths[path] = {**paths.get(path, {}), **methods}
        schemas = {**merged["components"]["schemas"], **part.get("components", {}).get("schemas", {})}
        merged = {**part, "paths": paths, "components": {"schemas": schemas}}
    for name in _UNUSED:
        merged["components"]["schemas"].pop(name, None)
    merged["components"]["headers"] = _HEADERS
    merged["components"]["securitySchemes"] = {
        _SECURITY: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A Supabase access token",
        },
        _HOOK_SECURITY: {"type": "apiKey", "in": "header", "name": HEADER, "description": "STORAGE_HOOK_SECRET"},
    }
    merged["tags"] = [{"name": name, "description": text} for name, text in dict.fromkeys(_TAGS.values())]
    descriptions = _descriptions()
    for path, methods in merged["paths"].items():
        for operation in methods.values():
            operation["description"] = descriptions[operation["operationId"]]
            operation["tags"] = [_TAGS[path.split("/")[1]][0]]
            operation["security"] = _OTHERWISE_SECURED.get(path, [{_SECURITY: []}])
            if "HTTPValidationError" in json.dumps(operation["responses"].get("422")):
                del operation["responses"]["422"]
            for parameter in operation.get("parameters", ()):
                _without_null(parameter)
                if parameter["in"] == "path":
                    parameter["description"] = _IN_PATH[parameter["name"]]
    # This document is no string.
    merged["paths"]["/openapi.json"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {
        "type": "object"
    }
    _describe_upload(merged)
    _describe_body(merged, "/webhooks", "post", WebhookRequest)
    _describe_body(merged, "/columns/{choice_id}", "put", ColumnsRequest)
    _describe_body(merged, "/jobs/{job_id}", "patch", TypeChoiceRequest)
    merged["components"]["schemas"]["TypeChoiceRequest"]["properties"]["dataset_type"]["enum"] = dataset_types()
    _describe_event(merged)
    for methods in merged["paths"].values():
        for operation in methods.values():
            _describe_headers(operation["responses"])
    merged["servers"] = [{"url": "/"}]
    return merged


def _descriptions() -> dict[str | None, str]:
    """Return what each handler's docstring says, by its operation's id; the resolver leaves it out."""
    routes = [*upload.api._static_routes, *upload.api._dynamic_routes]
    routes += [*download.api._static_routes, *download.api._dynamic_routes]  # no public name
    return {route.operation_id: inspect.getdoc(route.func) or "" for route in routes}


def _without_null(parameter: Document) -> None:
    """Say of a parameter that may be left out what it is when it is there: an address has no null."""
    schema = parameter["schema"]
    if "anyOf" in schema:
        [there] = [choice for choice in schema.pop("anyOf") if choice != {"type": "null"}]
        schema |= there


def _describe_body(merged: Document, path: str, method: str, model: type[BaseModel]) -> None:
    """Describe the JSON that a route takes, which its handler reads by itself."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    merged["components"]["schemas"] |= {**schema.pop("$defs", {}), model.__name__: schema}
    merged["paths"][path][method]["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}},
    }


def _describe_upload(merged: Document) -> None:
    """Describe the two bodies of POST /uploads, and what goes with the one that is a file."""
    _describe_body(merged, "/uploads", "post", UploadRequest)
    upload_file = merged["paths"]["/uploads"]["post"]
    upload_file["requestBody"]["content"]["application/octet-stream"] = {
        "schema": {"type": "string", "format": "binary"}
    }
    properties = merged["components"]["schemas"]["UploadRequest"]["properties"]
    properties["dataset_type"]["anyOf"] = [{"enum": dataset_types()}, {"type": "null"}]
    in_query = {parameter["name"]: parameter for parameter in upload_file["parameters"]}
    in_query["dataset_type"]["schema"]["enum"] = dataset_types()
    del in_query["parameters"]["schema"]
    in_query["parameters"]["content"] = {"application/json": {"schema": {"type": "object"}}}


def _describe_event(merged: Document) -> None:
    """Describe what a webhook gets (https://spec.openapis.org/oas/v3.1.0#fixed-fields, `webhooks`)."""
    schema = WebhookEvent.model_json_schema(ref_template="#/components/schemas/{model}")
    merged["components"]["schemas"] |= {**schema.pop("$defs"), "WebhookEvent": schema}
    merged["webhooks"] = {
        "job_ended": {
            "post": {
                "summary": "A job is done or has failed",
                "description": "Sent to each URL that POST /webhooks registered, signed as docs/webhooks.md says.",
                "operationId": "job_ended",
                "security": [],
                "parameters": [
                    {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": kind}}
                    for name, kind, text in (
                        ("webhook-id", "string", "the same on every try"),
                        ("webhook-timestamp", "integer", "when this try was made, in seconds since 1970"),
                        ("webhook-signature", "string", "v1, and the HMAC-SHA256 in base64"),
                    )
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WebhookEvent"}}},
                },
                "responses": {"2XX": {"description": "Taken; anything else, and it is sent again"}},
            }
        }
    }


def _describe_headers(responses: Document) -> None:
    """Describe the header that a problem or a redirect carries, and take away bodies that are none."""
    for status, response in responses.items():
        if status in _WITHOUT_BODY:
            del response["content"]
        if status in _HEADER_OF and "application/json" not in response.get("content", {}):
            name = _HEADER_OF[status]
            response["headers"] = {name: {"$ref": f"#/components/headers/{name}"}}


if __name__ == "__main__":
    print(json.dumps(document(), indent=2, sort_keys=True))
