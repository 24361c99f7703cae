"""The child process: how each way of misbehaving ends, and that nothing is left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from assay.errors import Unprocessable
from functions.process.sandbox.endings import harmless
from functions.process.sandbox.failures import AttemptFailed, OutOfTime
from functions.process.sandbox.messages import Finished, Limits, NeedsType, Start
from functions.process.sandbox.parent import Sandbox, limits_for
from local.home import PROJECT
from local.processes import is_alive
from shared.errors import JobCancelled, StaleAttempt
from shared.telemetry import metrics
from tests.worker.child import LIMITS, LINUX, request_for
from tests.worker.misbehaviour import CELL, let_it_misbehave

Ending = Unprocessable | AttemptFailed


@pytest.fixture(autouse=True)
def _misbehaving(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    let_it_misbehave(monkeypatch)
    yield
    metrics.clear_metrics()  # which the handler would have written


def be_patient(seconds: int = 60) -> Callable[[], None]:
    """Give up on what should have ended by itself."""
    until = time.monotonic() + seconds

    def check() -> None:
        assert time.monotonic() < until, "it goes on"

    return check


def children() -> set[psutil.Process]:
    """What this process has started, other tests' servers among it, and what that has started."""
    return set(psutil.Process().children(recursive=True))


def run(
    folder: Path,
    limits: Limits = LIMITS,
    check: Callable[[], None] | None = None,
    stages: list[str] | None = None,
    **parameters: Any,
) -> Finished | NeedsType:
    """Run one analysis in a child, and see that nothing is left of it."""
    told: list[str] = [] if stages is None else stages
    before = children()
    try:
        with Sandbox(folder, limits) as sandbox:
            return sandbox.analyse(
                request_for(folder, **parameters),
                lambda _, stage: told.append(stage),
                lambda _: None,
                check or be_patient(),
            )
    finally:
        assert children() <= before


def end_of(folder: Path, limits: Limits = LIMITS, **parameters: Any) -> Ending:
    with pytest.raises((Unprocessable, AttemptFailed)) as caught:
        run(folder, limits, **parameters)
    assert CELL not in "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])
    return caught.value  # type: ignore[return-value]  # it is one of the two


def test_the_outputs_are_there_and_hashed(tmp_path: Path) -> None:
    stages: list[str] = []
    found = run(tmp_path, stages=stages)
    assert isinstance(found, Finished)
    assert found.summary.counts["rows"].read == 1
    assert {output.name for output in found.outputs} == {path.name for path in (tmp_path / "outputs").iterdir()}
    assert found.outputs[-1].sha256 == found.manifest_sha256
    assert stages[0] == "detecting"
    assert "writing the lineage" in stages


def test_a_table_that_nobody_knows_needs_a_type(tmp_path: Path) -> None:
    assert isinstance(run(tmp_path, text="poem\nThe Raven\nDaffodils\n"), NeedsType)


def test_a_file_at_fault_is_refused_in_the_words_of_the_pipeline(tmp_path: Path) -> None:
    error = end_of(tmp_path, aggregate="mode")
    assert isinstance(error, Unprocessable)
    assert (error.code, "mean" in error.suggestion) == ("invalid_parameters", True)


@pytest.mark.parametrize(
    ("do", "code"),
    [
        ("segfault", "reader_crashed"),
        ("abort", "reader_crashed"),
        ("panic", "reader_crashed"),
        ("crash_with_cells_on_stderr", "reader_crashed"),
        ("open_too_many", "too_many_files"),
        ("write_too_much", "output_too_large"),
    ],
)
def test_what_the_same_bytes_would_do_again_is_terminal(tmp_path: Path, do: str, code: str) -> None:
    error = end_of(tmp_path, do=do)
    assert isinstance(error, Unprocessable)
    assert error.code == code
    assert error.suggestion


@LINUX
@pytest.mark.parametrize("do", ["allocate_at_once", "allocate_natively", "allocate_bit_by_bit"])
def test_too_much_memory_is_terminal(tmp_path: Path, do: str) -> None:
    error = end_of(tmp_path, do=do)
    assert isinstance(error, Unprocessable)
    assert (error.code, "512 MiB" in error.detail) == ("out_of_memory", True)


@LINUX
def test_a_child_between_the_two_limits_is_ended(tmp_path: Path) -> None:
    """Nothing fails there by itself, and it would wait for ever."""
    error = end_of(tmp_path, do="reach_the_limit_and_wait", memory_bytes=LIMITS.memory_bytes)
    assert error.code == "out_of_memory"


def test_an_engine_that_writes_too_much_is_terminal(tmp_path: Path) -> None:
    error = end_of(tmp_path, LIMITS.model_copy(update={"file_bytes": 1 << 20}), do="write_too_much_natively")
    assert (type(error), error.code) == (Unprocessable, "output_too_large")


def test_one_that_spins_ends_even_if_nobody_looks_at_the_clock(tmp_path: Path) -> None:
    error = end_of(tmp_path, LIMITS.model_copy(update={"cpu_seconds": 2}), do="spin")
    assert (type(error), error.code) == (Unprocessable, "took_too_long")


@pytest.mark.parametrize(
    ("do", "code"),
    [
        ("have_a_bug", "internal_error"),
        ("exit_without_a_word", "internal_error"),
        ("be_terminated", "internal_error"),
        ("be_killed", "out_of_memory"),
        pytest.param("fill_the_disk", "out_of_space", marks=LINUX),
        pytest.param("fill_the_disk_natively", "out_of_space", marks=LINUX),
    ],
)
def test_what_may_have_come_from_outside_is_tried_again(tmp_path: Path, do: str, code: str) -> None:
    error = end_of(tmp_path, do=do)
    assert (type(error), error.code) == (AttemptFailed, code)


def test_the_log_gets_the_place_of_a_bug_and_no_cell(tmp_path: Path) -> None:
    (note,) = end_of(tmp_path, do="have_a_bug").__notes__
    assert "raise ValueError(CELL) from error" in note
    assert "builtins.ValueError" in note
    assert "polars.exceptions.InvalidOperationError" in note


def test_the_log_gets_the_place_of_a_crash_and_no_cell(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    end_of(tmp_path, do="crash_with_cells_on_stderr")
    (record,) = caplog.records
    assert record.getMessage() == "a reader crashed"
    said = vars(record)
    assert said["how"] == "SIGSEGV"
    assert "panicked at src/lib.rs:1:2:" in said["where"]
    assert "Fatal Python error: Segmentation fault" in said["where"]
    assert "Current thread 0x" in said["where"]
    assert "in crash_with_cells_on_stderr" in said["where"]
    assert CELL not in str(said)


def test_a_module_that_is_missing_is_named() -> None:
    assert (
        harmless(b"ModuleNotFoundError: No module named 'polars'\n") == "ModuleNotFoundError: No module named 'polars'"
    )


@pytest.mark.parametrize("do", ["tell_nonsense", "tell_without_end"])
def test_a_child_that_can_not_be_understood_is_ended_and_not_quoted(tmp_path: Path, do: str) -> None:
    with pytest.raises(ValueError, match=r"of the child|validation error") as caught:
        run(tmp_path, do=do)
    assert CELL not in str(caught.value)


def test_what_it_prints_is_for_nobody(tmp_path: Path) -> None:
    assert end_of(tmp_path, do="print_much").code == "printed"


def test_it_sees_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SUPABASE_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "DATABASE_URL", "ANYTHING_ELSE"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/libraries")
    seen = json.loads(str(end_of(tmp_path, do="show_environment")))
    # What Python adds where there is no locale.
    seen.pop("LC_CTYPE", None)
    assert set(seen) == {"LD_LIBRARY_PATH", "PYTHONUTF8", "TMPDIR", "TZ", "_RJEM_MALLOC_CONF", "OPENBLAS_NUM_THREADS"}
    assert seen["TMPDIR"] == str(tmp_path)


@pytest.mark.parametrize("error", [JobCancelled, StaleAttempt])
def test_it_is_ended_in_the_middle_of_a_native_call(tmp_path: Path, error: type[Exception]) -> None:
    stages: list[str] = []

    def check() -> None:
        if stages:
            raise error

    with pytest.raises(error):
        run(tmp_path, check=check, stages=stages, do="wait")


def test_its_own_children_end_with_it(tmp_path: Path) -> None:
    mark = tmp_path / "outputs" / "grandchild"

    def check() -> None:
        if mark.exists() and mark.read_text():
            raise JobCancelled

    with pytest.raises(JobCancelled):
        run(tmp_path, check=check, do="start_a_child_and_wait")
    assert ended(int(mark.read_text()))


@pytest.mark.parametrize(("download_seconds", "expected"), [(0, Unprocessable), (600, OutOfTime)])
def test_the_deadline_is_the_files_fault_if_it_had_most_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, download_seconds: int, expected: type[Exception]
) -> None:
    stages: list[str] = []

    def check() -> None:
        if stages:
            raise OutOfTime

    request = request_for(tmp_path, do="wait")
    with Sandbox(tmp_path, LIMITS) as sandbox:
        sandbox._started -= download_seconds
        with pytest.raises(expected) as caught:
            sandbox.analyse(request, lambda _, stage: stages.append(stage), lambda _: None, check)
    assert caught.value.code == "took_too_long"  # type: ignore[attr-defined]  # both have one


def test_one_that_is_not_needed_ends_too(tmp_path: Path) -> None:
    before = children()
    with pytest.raises(JobCancelled), Sandbox(tmp_path, LIMITS):
        raise JobCancelled
    assert children() == before


def test_the_limits_come_from_the_memory_and_the_time_of_the_worker() -> None:
    limits = limits_for(3008, time.monotonic() + 100)
    assert limits.hard_memory_bytes <= (3008 - 256) << 20
    assert limits.memory_bytes > 2 << 30
    assert limits.cpu_seconds == 100 * (os.cpu_count() or 1)


WORKER = """
import sys
from pathlib import Path
from functions.process.sandbox import parent
from tests.worker.child import LIMITS, request_for

parent._MODULE = "tests.worker.misbehaviour"
folder = Path(sys.argv[1])
with parent.Sandbox(folder, LIMITS) as sandbox:
    def told(*_):
        print(sandbox._process.pid, flush=True)
    sandbox.analyse(request_for(folder, do="wait"), told, print, lambda: None)
"""


def ended(pid: int) -> bool:
    """Wait until this process is no more, or a zombie that another than we must ask after."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if not is_alive(psutil.Process(pid)):
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


@LINUX
def test_it_ends_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    """Even in the middle of a native call, which lets no thread of Python's look at the pipe."""
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        assert is_alive(psutil.Process(pid))
        worker.kill()
    assert ended(pid)


def test_it_ends_when_its_input_ends(tmp_path: Path) -> None:
    """As it does where the system has no signal for a parent's death."""
    answers, theirs = os.pipe()
    start = Start(answers_fd=theirs, parent_pid=os.getpid(), limits=LIMITS)
    command = [sys.executable, "-m", "tests.worker.misbehaviour", start.model_dump_json()]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, pass_fds=(theirs,), process_group=0) as process:
        os.close(theirs)
        assert process.stdin is not None
        process.stdin.write(request_for(tmp_path, do="spin").model_dump_json().encode() + b"\n")
        process.stdin.flush()
        assert b"misbehaving" in os.read(answers, 1000)
        process.stdin.close()
        assert process.wait(10) == -signal.SIGKILL
    os.close(answers)


@pytest.mark.parametrize(
    ("modules", "never"),
    [
        ("functions.process.app", {"polars", "python_calamine", "xlsxwriter"}),
        (
            "functions.process.sandbox.child, assay.run",
            {"boto3", "botocore", "httpx", "psycopg", "postgrest", "aws_lambda_powertools", "shared.settings"},
        ),
    ],
    ids=["worker", "child"],
)
def test_neither_imports_what_is_the_other_s(modules: str, never: set[str]) -> None:
    code = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & never == set()
