"""What runs in the child: `python -m functions.process.sandbox.child START`, with START as in messages.py."""

from __future__ import annotations

import ctypes
import errno
import faulthandler
import os
import re
import signal
import sys
import threading
import traceback
from typing import BinaryIO

from assay.errors import Unprocessable
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
# How Rust's std::io::Error shows the number of the system's error.
_RUST_ERROR = re.compile(r"\(os error (\d+)\)|\bOs \{ code: (\d+)")
_REASONS: dict[int, Reason] = {
    errno.ENOMEM: "out_of_memory",
    errno.EAGAIN: "out_of_memory",  # what Linux says where a new thread's stack finds no room
    errno.ENOSPC: "out_of_space",
    errno.EMFILE: "too_many_files",
}
_FRAMES = 20


def main() -> None:
    """Analyse one file within the limits and tell the worker."""
    start = Start.model_validate_json(sys.argv[1])
    os.set_inheritable(start.answers_fd, False)
    _die_with(start.parent_pid)
    # On a crash of native code it writes Python's stack to stderr, which the worker reads.
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
    # Not at the head of the module: the engine's threads and its allocator start within the limits.
    from assay.run import NeedsType as Unsure  # noqa: PLC0415
    from assay.run import RememberedColumns, analyse  # noqa: PLC0415

    # Until here, the worker downloads.
    request = Request.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_die_at_end_of_input, daemon=True).start()
    found = analyse(
        request.sources,
        request.requested_dataset_type,
        request.parameters,
        request.outputs,
        lambda fraction, stage: _answer(answers, Told(fraction=fraction, stage=stage)),
        lambda detection: _answer(answers, Detected(detection=detection.model_dump(mode="json"))),
        [RememberedColumns.model_validate(one.model_dump()) for one in request.remembered_columns],
    )
    if isinstance(found, Unsure):
        return NeedsType(detection=found.detection.model_dump(mode="json"))
    return Finished(
        dataset_type=found.dataset_type,
        pipeline=found.pipeline,
        pipeline_version=found.pipeline_version,
        summary=found.summary,
        outputs=[OutputFile.of(output) for output in found.outputs],
        manifest_sha256=found.manifest_sha256,
    )


def _answer(answers: BinaryIO, answer: Answer) -> None:
    answers.write(answer.model_dump_json().encode() + b"\n")
    answers.flush()


def reason_of(error: BaseException) -> Reason:
    """Say what an error comes from, where the system said so to anyone on its way."""
    for one in chain(error):
        if isinstance(one, MemoryError):
            return "out_of_memory"
        shown = _RUST_ERROR.search(str(one))
        number = one.errno if isinstance(one, OSError) and one.errno else int(shown[1] or shown[2]) if shown else 0
        if number in _REASONS:
            return _REASONS[number]
    return "bug" if isinstance(error, Exception) else "panic"


def traceback_of(error: BaseException) -> str:
    """Types, places and lines of code; no error's text, and so nothing of what stands in the file."""
    parts = [
        f"{''.join(traceback.format_tb(one.__traceback__, -_FRAMES))}{type(one).__module__}.{type(one).__qualname__}\n"
        for one in chain(error)
    ]
    return "caused by\n".join(parts)


def _die_with(parent_pid: int) -> None:
    """Have Linux end this process together with the worker's thread that started it; elsewhere see below."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent_pid:
        # The worker was gone before that was arranged.
        sys.exit(1)


def _die_at_end_of_input() -> None:
    """End with all of the process group when the worker is gone: standard input ends then, and never before."""
    os.read(_STDIN, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
