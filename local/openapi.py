"""Write the OpenAPI document of the whole API, from the handlers of both HTTP functions: `python -m local.openapi`."""

from __future__ import annotations

import json
from typing import Any

from functions.download import app as download
from functions.upload import app as upload
from functions.upload.storage_hook import HEADER
from shared.models import UploadRequest

Document = dict[str, Any]

_SECURITY = "access_token"
_HOOK_SECURITY = "hook_secret"
# The resolver's own error shapes; every error of ours is ProblemDetails.
_UNUSED = ("HTTPValidationError", "ResponseValidationError", "ValidationError")
_OTHERWISE_SECURED: dict[str, list[dict[str, list[str]]]] = {
    "/health": [],
    "/openapi.json": [],
    "/events/storage": [{_HOOK_SECURITY: []}],
}


def document() -> Document:
    """Return the document: the routes of both functions, the two bodies of POST /uploads, and the sign-in."""
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
        paths = {**merged["paths"], **part["paths"]}
        schemas = {**merged["components"]["schemas"], **part.get("components", {}).get("schemas", {})}
        merged = {**part, "paths": paths, "components": {"schemas": schemas}}
    for name in _UNUSED:
        merged["components"]["schemas"].pop(name, None)
    merged["components"]["securitySchemes"] = {
        _SECURITY: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A Supabase access token",
        },
        _HOOK_SECURITY: {"type": "apiKey", "in": "header", "name": HEADER, "description": "STORAGE_HOOK_SECRET"},
    }
    for path, methods in merged["paths"].items():
        for operation in methods.values():
            operation["security"] = _OTHERWISE_SECURED.get(path, [{_SECURITY: []}])
            if "HTTPValidationError" in json.dumps(operation["responses"].get("422")):
                del operation["responses"]["422"]
    request = UploadRequest.model_json_schema(ref_template="#/components/schemas/{model}")
    merged["components"]["schemas"] |= {**request.pop("$defs"), "UploadRequest": request}
    # A redirect has no body, and this document is no string.
    del merged["paths"]["/outputs/{output_id}/download"]["get"]["responses"]["302"]["content"]
    merged["paths"]["/openapi.json"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {
        "type": "object"
    }
    merged["paths"]["/uploads"]["post"]["requestBody"] = {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/UploadRequest"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
    merged["servers"] = [{"url": "/"}]
    return merged


if __name__ == "__main__":
    print(json.dumps(document(), indent=2, sort_keys=True))
