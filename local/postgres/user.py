"""The user that Postgres runs as. It refuses to run as root, and folders under root's home are closed to other users.

So root's Postgres runs in a user namespace: root outside, with all rights of the files' owner, and `nobody` inside.
Where the kernel refuses namespaces (as in Docker by default), it runs as the real `nobody` with one capability, which
passes file modes. access(2), by which Postgres looks for its programs, honours that capability only with the securebit
no_setuid_fixup. Neither way opens a folder to other users.
"""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.processes import StackError


@dataclass(frozen=True)
class PostgresUser:
    """What stands before a command so that it runs as this user, and the user and group that own its files."""

    prefix: tuple[str, ...]
    uid: int
    gid: int

    def own(self, folder: Path) -> None:
        """Give the folder and all in it to this user, if another one has it: root's Postgres may have run otherwise."""
        if os.geteuid() != 0 or folder.stat().st_uid == self.uid:
            return
        # The folder itself comes last: if this is interrupted, the next start does it again.
        for parent, _, files in os.walk(folder, topdown=False):
            for path in [*(Path(parent, file) for file in files), Path(parent)]:
                os.chown(path, self.uid, self.gid, follow_symlinks=False)


def postgres_user() -> PostgresUser:
    """Return the user for Postgres: this process's own, or for root one that Postgres accepts. Raises StackError."""
    return PostgresUser((), os.geteuid(), os.getegid()) if os.geteuid() else _for_root()


@functools.cache
def _for_root() -> PostgresUser:
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise StackError(
            "Postgres does not run as root, and no user `nobody` exists: run Assay as another user."
        ) from None
    uid, gid = nobody.pw_uid, nobody.pw_gid
    in_namespace = ("unshare", "--user", f"--map-user={uid}", f"--map-group={gid}")
    as_nobody = (
        *("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--securebits=+no_setuid_fixup"),
        *("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"),
    )
    reasons = []
    for user in (PostgresUser(in_namespace, 0, 0), PostgresUser(as_nobody, uid, gid)):
        reason = _refusal(user.prefix)
        if reason is None:
            return user
        reasons.append(reason)
    raise StackError(
        "Postgres does not run as root, and this system does not let root start it as `nobody` "
        f"({'; '.join(reasons)}). Run Assay as another user, or set DATABASE_URL to a Postgres that runs already."
    )


def _refusal(prefix: tuple[str, ...]) -> str | None:
    """Return why no command can be started in this way, or None if one can."""
    if shutil.which(prefix[0]) is None:
        return f"there is no `{prefix[0]}`"
    probe = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False, cwd="/")
    return None if probe.returncode == 0 else probe.stderr.strip() or f"`{prefix[0]}` ended with {probe.returncode}"
