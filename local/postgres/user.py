"""The user that Postgres runs as. Postgres refuses to run as root, and other users have no access to root's folders.

For root, Postgres therefore runs in a user namespace: as root outside, with the rights of the files' owner, and as
`nobody` inside. If the kernel refuses namespaces (as in Docker by default), it runs as the real `nobody` with the
capability to bypass file modes. access(2), with which Postgres looks for its programs, respects that capability only
with the securebit no_setuid_fixup. Both ways leave the folders closed to other users.
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
    """The command prefix that switches to this user, and the user and group that own the files."""

    prefix: tuple[str, ...]
    uid: int
    gid: int

    def own(self, folder: Path) -> None:
        """Change the owner of the folder and its contents to this user.

        Root's Postgres may have used the other way before.
        """
        if os.geteuid() != 0 or folder.stat().st_uid == self.uid:
            return
        # The folder itself is last: after an interruption, the next start repeats this.
        for parent, _, files in os.walk(folder, topdown=False):
            for path in [*(Path(parent, file) for file in files), Path(parent)]:
                os.chown(path, self.uid, self.gid, follow_symlinks=False)


def postgres_user() -> PostgresUser:
    """Return the user for Postgres: the current user, or for root one that Postgres accepts. Raises StackError."""
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
        f"({'; '.join(reasons)}). Run Assay as another user, or set DATABASE_URL to a running Postgres."
    )


def _refusal(prefix: tuple[str, ...]) -> str | None:
    """Return the reason why no command can be started this way, or None if it works."""
    if shutil.which(prefix[0]) is None:
        return f"there is no `{prefix[0]}`"
    probe = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False, cwd="/")
    return None if probe.returncode == 0 else probe.stderr.strip() or f"`{prefix[0]}` ended with {probe.returncode}"
