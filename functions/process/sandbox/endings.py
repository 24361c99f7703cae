"""How each end of the child that is no result looks to the user, to the log, and to the engine.

Where a reader crashes or a limit is reached, the same bytes end the same way again: those ends are Unprocessable, and
no other attempt is made. What may come from outside (the machine's own memory or disk ran out, the program has a bug
that a deployment may mend) is AttemptFailed.
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
# What Rust, C++ and the engine's allocator say where there is no memory to be had, before they abort or panic.
_NO_MEMORY = re.compile(rb"memory allocation of \d+ bytes failed|std::bad_alloc|<jemalloc>: ")
# What is known to quote nothing of the file: the lines of a stack, a module that is missing, where a Rust library
# panicked, and the above.
_HARMLESS = re.compile(
    rb"Fatal Python error: [A-Z][\w ]*|(?:Current t|T)hread 0x[^\n]*:"
    rb'|  File "[^"\n]+", line \d+,? in \S+|(?:Module|Import)\w*Error: .*'
    rb"|thread '[^'\n]*' (?:\(\d+\) )?panicked at [\w./@-]+:\d+:\d+:|memory allocation of \d+ bytes failed"
)
_LINES = 40


def out_of_memory(limits: Limits) -> Unprocessable:
    """The end of a file that needs more memory than there is."""
    megabytes = limits.memory_bytes >> 20
    detail = f"Processing the file needs more than the {megabytes:,} MiB of memory that a job has."
    return Unprocessable("out_of_memory", detail, _SPLIT)


def took_too_long() -> Unprocessable:
    """The end of a file that needs more time than there is."""
    return Unprocessable("took_too_long", "Processing the file takes longer than a job may take.", _SPLIT)


def of_failure(failed: Failed, stderr: bytes, limits: Limits) -> AttemptFailed | Unprocessable:
    """Return the error for what the child raised."""
    if failed.reason == "out_of_memory" or (failed.reason == "panic" and _NO_MEMORY.search(stderr)):
        return out_of_memory(limits)
    if failed.reason == "too_many_files":
        detail = f"Processing the file needs more than the {limits.open_files} open files that a job may have."
        return Unprocessable("too_many_files", detail, _SPLIT)
    if failed.reason == "panic":
        return _crashed("a panic", failed.traceback)
    error = out_of_space() if failed.reason == "out_of_space" else internal_error()
    error.add_note(f"In the child:\n{failed.traceback}")
    return error


def of_exit(returncode: int, stderr: bytes, limits: Limits) -> AttemptFailed | Unprocessable:
    """Return the error for a child that ended without a last word; the returncode is negative for a signal."""
    said = harmless(stderr)
    if returncode >= 0:
        error = internal_error()
        error.add_note(f"The child ended with {returncode} and without a word.\n{said}")
        return error
    what = signal.Signals(-returncode)
    if what == signal.SIGXFSZ:
        detail = f"Processing the file makes a file of more than {limits.file_bytes / 2**30:,.0f} GiB."
        return Unprocessable("output_too_large", detail, _SPLIT)
    if what == signal.SIGXCPU:
        return took_too_long()
    if what in _CRASHES:
        return out_of_memory(limits) if _NO_MEMORY.search(stderr) else _crashed(what.name, said)
    if what == signal.SIGKILL:
        # Nobody but the system does that, where the memory of the whole machine runs out.
        return AttemptFailed("out_of_memory", "The worker's memory ran out while it processed the file.")
    error = internal_error()
    error.add_note(f"The child was ended by {what.name}.\n{said}")
    return error


def out_of_space() -> AttemptFailed:
    """The end where the disk is full."""
    return AttemptFailed("out_of_space", "The disk of the worker was full while it processed the file.")


def internal_error() -> AttemptFailed:
    """The end for which nobody has a better name."""
    return AttemptFailed("internal_error", "The service met an error of its own while it processed the file.")


def harmless(stderr: bytes) -> str:
    """Return the lines that are fit for the log: those that can't quote what stands in the file."""
    lines = [line.decode(errors="replace") for line in stderr.splitlines() if _HARMLESS.fullmatch(line)]
    return "\n".join(lines[-_LINES:])


def _crashed(how: str, where: str) -> Unprocessable:
    # The file's owner can only go round it; it is ours to mend, hence the alarm.
    logger.error("a reader crashed", how=how, where=where)
    measure("InternalErrors")
    return Unprocessable(
        "reader_crashed",
        "The program that reads such files crashed over this one.",
        "Open the file in the program that it comes from, save it anew, and send that, or send its table as CSV; if "
        "that fails too, report the job's id.",
    )
