"""The context object that Lambda passes to a handler."""

from __future__ import annotations

import time
import uuid

from local.aws.template import Function
from local.ministack.ministack import REGION


class LambdaContext:
    """The context of Lambda's Python runtime. It only states the limits of time and memory; the worker enforces them.

    The memory is the template's, so that a job's cost is Lambda's price for the same duration.
    """

    function_version = "$LATEST"
    log_stream_name = "local"

    def __init__(self, function: Function) -> None:
        self.function_name = function.name
        self.log_group_name = f"/assay/local/{function.name}"
        self.invoked_function_arn = f"arn:aws:lambda:{REGION}:000000000000:function:{function.name}"
        self.memory_limit_in_mb = str(function.memory_mb)
        self.aws_request_id = str(uuid.uuid4())
        self._deadline = time.monotonic() + function.timeout_seconds

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would end the invocation."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))
