"""The context object that Lambda gives to a handler beside the event."""

from __future__ import annotations

import time
import uuid

from local.aws.template import Function
from local.ministack.ministack import REGION


class LambdaContext:
    """What Lambda's Python runtime gives; limits of time and memory are told; the worker holds its child to them.

    The memory is the template's, so a job's cost is what Lambda would take for as many seconds as it took here.
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
