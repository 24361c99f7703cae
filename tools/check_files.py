"""Check files with `assay read`, and annotate those that cannot be read. Run by action.yml.

Imports nothing of Assay: it runs the `assay` next to its Python.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from glob import glob
from pathlib import Path

_ASSAY = Path(sys.executable).with_name("assay")
_LONGEST_MESSAGE = 2000


def matching_files(patterns: str) -> dict[str, list[str]]:
    """Return the files that each pattern matches. There is one pattern per line."""
    return {
        # Path.glob does not support absolute patterns.
        pattern: sorted(path for path in glob(pattern, recursive=True) if Path(path).is_file())  # noqa: PTH207
        for line in patterns.splitlines()
        if (pattern := line.strip())
    }


def problem_of(path: str) -> str | None:
    """Read a file. Return the reason why it cannot be read, or None."""
    completed = subprocess.run(
        [_ASSAY, "read", "--json", "--", path], capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if completed.returncode == 0:
        return None
    try:
        problem = json.loads(completed.stdout)["problem"]
        return f"{problem['detail']} {problem['suggestion']} ({problem['code']})"
    except (ValueError, KeyError, TypeError):
        return (completed.stderr or completed.stdout).strip()[
            -_LONGEST_MESSAGE:
        ] or f"assay ended with {completed.returncode}"


def error_command(message: str, path: str | None = None) -> str:
    """Return the workflow command that makes GitHub show an error, escaped."""
    text = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    if path is None:
        return f"::error::{text}"
    place = path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace(":", "%3A").replace(",", "%2C")
    return f"::error file={place}::{text}"


def main(patterns: str) -> int:
    """Read all files. Return 1 if one cannot be read or a pattern matches none."""
    matches = matching_files(patterns)
    errors = [error_command(f"No file matches {pattern}") for pattern, paths in matches.items() if not paths]
    if not matches:
        errors.append(error_command("No pattern was given: set the input files"))
    # A file name could be a workflow command.
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}")
    for path in sorted({path for paths in matches.values() for path in paths}):
        problem = problem_of(path)
        print("can be read:   " if problem is None else "CAN'T BE READ: ", path, sep="", flush=True)
        if problem is not None:
            errors.append(error_command(problem, path))
    print(f"::{token}::")
    print("\n".join(errors))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
