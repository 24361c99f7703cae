"""Generate the OpenAPI document from the handlers of both HTTP functions: `python -m tools.openapi`."""

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
from shared.wire.jobs import TypeChoiceRequest
from shared.wire.uploads import UploadRequest
from shared.wire.webhooks import WebhookEvent, WebhookRequest

Document = dict[str, Any]

_SECURITY = "access_token"
_HOOK_SECURITY = "hook_secret"
# The resolver's error formats, which are not used: every error is ProblemDetails.
_UNUSED = ("HTTPValidationError", "ResponseValidationError", "ValidationError")
_HEADERS: Document = {
    "Location": {"description": "the signed link", "required": True, "schema": {"type": "string", "format": "uri"}},
    "Retry-After": {
        "description": "seconds to wait before a retry",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "how to sign in", "required": True, "schema": {"const": "Bearer"}},
}
# The tag of each path, by its first part.
_TAGS = {
    "uploads": ("Uploads", "Send files. Each upload creates a job, or returns an earlier one."),
    "jobs": ("Jobs", "Follow and change jobs."),
    "outputs": ("Outputs", "Download the files that jobs produce."),
    "dataset-types": ("Dataset types", "List the supported dataset types."),
    "columns": ("Columns", "List, change and forget remembered columns."),
    "webhooks": ("Webhooks", "Register URLs that are notified when jobs end."),
    "me": ("Account", "Show, export and delete the account's data."),
    "health": ("Service", "The service itself."),
    "openapi.json": ("Service", "The service itself."),
    "events": ("Service", "The service itself."),
}
_IN_PATH = {
    "choice_id": "the choice's id",
    "job_id": "the job's id",
    "output_id": "the output's id",
    "webhook_id": "the webhook's id",
    "dataset_type": "a dataset type from GET /dataset-types",
}
_WITHOUT_BODY = {"204", "302"}
# The header of a response with this status, if it is a problem or a redirect.
_HEADER_OF = {"302": "Location", "401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}
_OTHERWISE_SECURED: dict[str, list[dict[str, list[str]]]] = {
    "/health": [],
    "/dataset-types": [],
    "/dataset-types/{dataset_type}/example": [],
    "/openapi.json": [],
    "/events/storage": [{_HOOK_SECURITY: []}],
}


def document() -> Document:
    """Return the document: routes, bodies, headers and security of both functions."""
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
        # Both functions may have methods of the same path.
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
    # The document is an object, not a string.
    merged["paths"]["/openapi.json"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {
        "type": "object"
    }
    _describe_upload(merged)
    _describe_body(merged, "/webhooks", "post", WebhookRequest)
    _describe_body(merged, "/columns/{choice_id}", "patch", ColumnsRequest)
    _describe_body(merged, "/jobs/{job_id}", "patch", TypeChoiceRequest)
    merged["components"]["schemas"]["TypeChoiceRequest"]["properties"]["dataset_type"]["enum"] = dataset_types()
    _describe_event(merged)
    for methods in merged["paths"].values():
        for operation in methods.values():
            _describe_headers(operation["responses"])
    merged["servers"] = [{"url": "/"}]
    return merged


def _descriptions() -> dict[str | None, str]:
    """Return each handler's docstring by operation id; the resolver omits it."""
    routes = [*upload.api._static_routes, *upload.api._dynamic_routes]
    routes += [*download.api._static_routes, *download.api._dynamic_routes]  # no public attribute
    return {route.operation_id: inspect.getdoc(route.func) or "" for route in routes}


def _without_null(parameter: Document) -> None:
    """Remove null from the schema of an optional query parameter, since a URL has no null."""
    schema = parameter["schema"]
    if "anyOf" in schema:
        [schema_without_null] = [choice for choice in schema.pop("anyOf") if choice != {"type": "null"}]
        schema |= schema_without_null


def _describe_body(merged: Document, path: str, method: str, model: type[BaseModel]) -> None:
    """Describe the JSON body of a route, whose handler parses it without the resolver."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    merged["components"]["schemas"] |= {**schema.pop("$defs", {}), model.__name__: schema}
    merged["paths"][path][method]["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}},
    }


def _describe_upload(merged: Document) -> None:
    """Describe the two kinds of body of POST /uploads, and the query parameters."""
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
    """Describe the requests to webhooks (https://spec.openapis.org/oas/v3.1.0#fixed-fields, `webhooks`)."""
    schema = WebhookEvent.model_json_schema(ref_template="#/components/schemas/{model}")
    merged["components"]["schemas"] |= {**schema.pop("$defs"), "WebhookEvent": schema}
    merged["webhooks"] = {
        "job_ended": {
            "post": {
                "summary": "A job is done or has failed",
                "description": "Sent to each registered webhook, with a signature; see docs/webhooks.md.",
                "operationId": "job_ended",
                "security": [],
                "parameters": [
                    {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": kind}}
                    for name, kind, text in (
                        ("webhook-id", "string", "the id of the delivery, the same for every try"),
                        ("webhook-timestamp", "integer", "the time of this try, in seconds since 1970"),
                        ("webhook-signature", "string", "v1, then the HMAC-SHA256 in base64"),
                    )
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WebhookEvent"}}},
                },
                "responses": {"2XX": {"description": "Accepted. After any other response the delivery is sent again"}},
            }
        }
    }


def _describe_headers(responses: Document) -> None:
    """Describe the header of a problem or a redirect, and remove bodies of responses without one."""
    for status, response in responses.items():
        if status in _WITHOUT_BODY:
            del response["content"]
        if status in _HEADER_OF and "application/json" not in response.get("content", {}):
            name = _HEADER_OF[status]
            response["headers"] = {name: {"$ref": f"#/components/headers/{name}"}}


if __name__ == "__main__":
    print(json.dumps(document(), indent=2, sort_keys=True))
