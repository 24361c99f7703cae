"""How a child that ended without a result is reported to the user, the log and the job engine.

If a reader crashes or a limit is reached, the same bytes fail again, so the error is Unprocessable and there is no
other attempt. If the cause may be external (the machine ran out of memory or disk, or a bug that a deployment may fix),
the error is AttemptFailed.
"""

from __future__ import annotations

import re
import signal

from assay.errors import Unprocessable
from functions.process.sandbox.failures import AttemptFailed
from functions.process.sandbox.messages import Failed, Limits
from shared.telemetry import logger, measure

_SPLIT = "Split the file into several, for example by years, and send each."
_CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP, signal.SIGSYS}
# Messages of Rust, C++ and the engine's allocator when an allocation fails, before they abort or panic.
_NO_MEMORY = re.compile(rb"memory allocation of \d+ bytes failed|std::bad_alloc|<jemalloc>: ")
# Lines known not to quote the file: stack frames, missing modules, places of Rust panics, and the messages above.
_HARMLESS = re.compile(
    rb"Fatal Python error: [A-Z][\w ]*|(?:Current t|T)hread 0x[^\n]*:"
    rb'|  File "[^"\n]+", line \d+,? in \S+|(?:Module|Import)\w*Error: .*'
    rb"|thread '[^'\n]*' (?:\(\d+\) )?panicked at [\w./@-]+:\d+:\d+:|memory allocation of \d+ bytes failed"
)
_LINES = 40


def out_of_memory(limits: Limits) -> Unprocessable:
    """Return the error for a file that needs more memory than the limit."""
    megabytes = limits.memory_bytes >> 20
    detail = f"Processing the file needs more than {megabytes:,} MiB of memory, the limit of a job."
    return Unprocessable("out_of_memory", detail, _SPLIT)


def took_too_long() -> Unprocessable:
    """Return the error for a file that needs more time than the limit."""
    return Unprocessable("took_too_long", "Processing the file takes longer than the time limit of a job.", _SPLIT)


def of_failure(failed: Failed, stderr: bytes, limits: Limits) -> AttemptFailed | Unprocessable:
    """Return the error for what the child raised."""
    if failed.reason == "out_of_memory" or (failed.reason == "panic" and _NO_MEMORY.search(stderr)):
        return out_of_memory(limits)
    if failed.reason == "too_many_files":
        detail = f"Processing the file needs more than {limits.open_files} open files, the limit of a job."
        return Unprocessable("too_many_files", detail, _SPLIT)
    if failed.reason == "panic":
        return _crashed("a panic", failed.traceback)
    error = out_of_space() if failed.reason == "out_of_space" else internal_error()
    error.add_note(f"In the child:\n{failed.traceback}")
    return error


def of_exit(returncode: int, stderr: bytes, limits: Limits) -> AttemptFailed | Unprocessable:
    """Return the error for a child that ended without a final message. The return code is negative for a signal."""
    log_lines = harmless(stderr)
    if returncode >= 0:
        error = internal_error()
        error.add_note(f"The child ended with {returncode} and without a message.\n{log_lines}")
        return error
    ending = signal.Signals(-returncode)
    if ending == signal.SIGXFSZ:
        detail = (
            f"Processing the file writes a file of more than {limits.file_bytes / 2**30:,.0f} GiB, the limit of a job."
        )
        return Unprocessable("output_too_large", detail, _SPLIT)
    if ending == signal.SIGXCPU:
        return took_too_long()
    if ending in _CRASHES:
        return out_of_memory(limits) if _NO_MEMORY.search(stderr) else _crashed(ending.name, log_lines)
    if ending == signal.SIGKILL:
        # Only the system sends this, when the machine runs out of memory.
        return AttemptFailed("out_of_memory", "The worker's memory ran out while it processed the file.")
    error = internal_error()
    error.add_note(f"The child was ended by {ending.name}.\n{log_lines}")
    return error


def out_of_space() -> AttemptFailed:
    """Return the error for a full disk."""
    return AttemptFailed("out_of_space", "The worker's disk was full while it processed the file.")


def internal_error() -> AttemptFailed:
    """Return the error for any other end."""
    return AttemptFailed("internal_error", "Internal error while processing the file.")


def harmless(stderr: bytes) -> str:
    """Return the lines that are safe to log, because they can't quote the file."""
    lines = [line.decode(errors="replace") for line in stderr.splitlines() if _HARMLESS.fullmatch(line)]
    return "\n".join(lines[-_LINES:])


def _crashed(how: str, log_lines: str) -> Unprocessable:
    # The owner can only work around it. It is a bug to fix, hence the alarm.
    logger.error("a reader crashed", how=how, where=log_lines)
    measure("InternalErrors")
    return Unprocessable(
        "reader_crashed",
        "The reader of this file format crashed.",
        "Open the file in the program that created it, save it again and send that, or send its table as CSV. If "
        "that fails too, report the job's id.",
    )
