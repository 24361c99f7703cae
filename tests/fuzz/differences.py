"""What schemathesis cannot know of this API: it loads this module, which says each difference and its reason.

No check is switched off. A verdict is passed over where it is about an answer that is right all the same.
"""

from __future__ import annotations

import json
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation

from shared.http import SECURITY_HEADERS

# (the failure's code, the operation, the answer's `code`); `st explain CODE` says more of a failure.
ACCEPTED = {
    # The document says what JSON Schema can say. Not how large a file this deployment takes;
    ("ST202", "POST /uploads", "file_too_large"),
    # nor that a body has at least one byte;
    ("ST202", "POST /uploads", "empty_file"),
    # nor which parameters each dataset type takes, and that they have at most 64 KiB and no NUL in any of their texts.
    ("ST202", "POST /uploads", "invalid_parameters"),
    # Nor which parameters a job has that gets another type.
    ("ST202", "PATCH /jobs/{job_id}", "invalid_parameters"),
    # Without Supabase Storage no webhook is expected, whatever its headers say.
    ("ST203", "POST /events/storage", "no_storage_hook"),
}


def _json(response: Response) -> object:
    try:
        return json.loads(response.content)
    except ValueError:
        return None


def _is_wrong(case: Case[Any], where: ParameterLocation) -> bool:
    """Whether the request is wrong there on purpose."""
    return case.meta is not None and case.meta.is_negative_at(where)


@schemathesis.hook
def map_case(context: HookContext, case: Case[Any]) -> Case[Any]:
    """Keep to what the document cannot say of POST /uploads: JSON stands alone, and bytes come with a file name.

    A query that is wrong on purpose stays as it is.
    """
    if case.operation.label == "POST /uploads" and not _is_wrong(case, ParameterLocation.QUERY):
        if case.media_type == "application/json":
            case.query.clear()
        else:
            case.query.setdefault("filename", "fuzzed.csv")
    return case


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Say whether a failure counts."""
    said = _json(response)
    if failure.code == "ST401" and "got `429 " in failure.message:
        return False  # a made-up token was refused as one too many: shared/sign_in/failures.py
    if failure.code == "ST201" and "filename" in case.query and _is_wrong(case, ParameterLocation.BODY):
        return False  # a body under a file name is a file, whatever it holds
    code = said.get("code") if isinstance(said, dict) else None
    return (failure.code, case.operation.label, code) not in ACCEPTED


@schemathesis.check
def security_headers(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """Every answer carries them."""
    missing = [name for name in SECURITY_HEADERS if name.lower() not in response.headers]
    assert not missing, f"missing: {missing}"
