"""The child process: `python -m functions.process.sandbox.child START`, with START from messages.py."""

from __future__ import annotations

import ctypes
import errno
import faulthandler
import os
import signal
import sys
import threading
import traceback
from typing import BinaryIO

from assay.errors import Unprocessable, errno_of
from functions.process.sandbox.limits import impose
from functions.process.sandbox.messages import (
    Answer,
    Detected,
    Failed,
    Finished,
    NeedsType,
    OutputFile,
    Reason,
    Refused,
    Request,
    Start,
    Told,
)
from shared.errors import chain

_STDIN = 0
# Source: linux/prctl.h
_PR_SET_PDEATHSIG = 1
_REASONS: dict[int | None, Reason] = {
    errno.ENOMEM: "out_of_memory",
    errno.EAGAIN: "out_of_memory",  # what Linux returns if there is no memory for a thread's stack
    errno.ENOSPC: "out_of_space",
    errno.EMFILE: "too_many_files",
}
_FRAMES = 20


def main() -> None:
    """Analyse one file within the limits, and send the result to the worker."""
    start = Start.model_validate_json(sys.argv[1])
    os.set_inheritable(start.answers_fd, False)
    _die_with(start.parent_pid)
    # If native code crashes, it writes Python's stack to stderr, which the worker reads.
    faulthandler.enable()
    impose(start.limits)
    with os.fdopen(start.answers_fd, "wb") as answers:
        _answer(answers, _outcome(answers))


def _outcome(answers: BinaryIO) -> Answer:
    try:
        return _analyse(answers)
    except Unprocessable as error:
        return Refused(code=error.code, detail=error.detail, suggestion=error.suggestion)
    except BaseException as error:  # noqa: BLE001  # a panic of a Rust library is a BaseException
        return Failed(reason=reason_of(error), traceback=traceback_of(error))


def _analyse(answers: BinaryIO) -> Answer:
    # Imported here, so that the engine's threads and allocator start within the limits.
    from assay.run import NeedsType as Unsure  # noqa: PLC0415
    from assay.run import RememberedColumns, analyse  # noqa: PLC0415

    # Up to here, the worker is still downloading the file.
    request = Request.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_die_at_end_of_input, daemon=True).start()
    result = analyse(
        request.sources,
        request.requested_dataset_type,
        request.parameters,
        request.outputs,
        lambda fraction, stage: _answer(answers, Told(fraction=fraction, stage=stage)),
        lambda detection: _answer(answers, Detected(detection=detection.model_dump(mode="json"))),
        [RememberedColumns.model_validate(one.model_dump()) for one in request.remembered_columns],
    )
    if isinstance(result, Unsure):
        return NeedsType(detection=result.detection.model_dump(mode="json"))
    return Finished(
        dataset_type=result.dataset_type,
        pipeline=result.pipeline,
        pipeline_version=result.pipeline_version,
        summary=result.summary,
        outputs=[OutputFile.of(output) for output in result.outputs],
        manifest_sha256=result.manifest_sha256,
    )


def _answer(answers: BinaryIO, answer: Answer) -> None:
    answers.write(answer.model_dump_json().encode() + b"\n")
    answers.flush()


def reason_of(error: BaseException) -> Reason:
    """Return the resource that ran out, if an errno in the error's chain says so."""
    for cause in chain(error):
        if isinstance(cause, MemoryError):
            return "out_of_memory"
        number = errno_of(cause)
        if number in _REASONS:
            return _REASONS[number]
    return "bug" if isinstance(error, Exception) else "panic"


def traceback_of(error: BaseException) -> str:
    """Return a traceback with types, places and lines of code, but without messages, which may quote the file."""
    parts = [
        "".join(traceback.format_tb(cause.__traceback__, -_FRAMES))
        + f"{type(cause).__module__}.{type(cause).__qualname__}\n"
        for cause in chain(error)
    ]
    return "caused by\n".join(parts)


def _die_with(parent_pid: int) -> None:
    """Have Linux end this process with the worker's thread that started it.

    For other systems see `_die_at_end_of_input`.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent_pid:
        # The worker ended before prctl was called.
        sys.exit(1)


def _die_at_end_of_input() -> None:
    """End the process group when the worker has ended. Standard input closes then, and not earlier."""
    os.read(_STDIN, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
