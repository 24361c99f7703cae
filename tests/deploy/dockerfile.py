"""Takes the steps of a Dockerfile on this machine, as far as they need no base image."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

from local.home import PROJECT

_PROCESS = PROJECT / "functions" / "process" / "Dockerfile"
_UV = PROJECT / ".venv" / "bin" / "uv"
_TASK_ROOT = "/var/task"  # what the base image sets LAMBDA_TASK_ROOT to


def stages(dockerfile: Path = _PROCESS) -> list[list[tuple[str, str]]]:
    """Return the instructions of each stage, without its FROM: name and the rest of the line."""
    found: list[list[tuple[str, str]]] = []
    for line in dockerfile.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            if name == "FROM":
                found.append([])
            else:
                found[-1].append((name, rest))
    return found


def in_context(path: Path) -> bool:
    """Whether .dockerignore lets Docker see a path of the project: the last pattern that fits it decides."""
    seen = True
    names = path.relative_to(PROJECT).parts
    heads = ["/".join(names[: count + 1]) for count in range(len(names))]
    for line in (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        if any(fnmatch(head, pattern) or ("**/" in line and fnmatch(Path(head).name, pattern)) for head in heads):
            seen = line.startswith("!")
    return seen


def build_stage(root: Path, python: str, platform: str) -> Path:
    """Take the first stage's steps below `root` for another platform; return the folder that the image gets.

    Raises ValueError for a step that is not known here, FileNotFoundError for a source that is not in the context.
    """
    for name, rest in stages()[0]:
        if name == "COPY":
            copy(rest, root)
        elif name == "RUN" and rest.startswith(("uv ", "python ")):
            _run(rest, root, python, platform)
        elif not (name == "RUN" and rest.startswith("pip install ") and rest.endswith(" -r /tmp/uv.txt")):
            raise ValueError(f"{name} {rest}")
    return root / "package"


def copy(arguments: str, root: Path) -> None:
    """Take a COPY below `root`: what .dockerignore hides is not there.

    Raises FileNotFoundError for a source that is not in the context.
    """
    *sources, target = arguments.split()
    for name in sources:
        source = PROJECT / name
        files = [path for path in ([source] if source.is_file() else source.rglob("*")) if path.is_file()]
        visible = [path for path in files if in_context(path)]
        if not visible:
            raise FileNotFoundError(source)
        for path in visible:
            place = root / target.lstrip("/") / (path.name if source.is_file() else path.relative_to(source))
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def _run(command: str, root: Path, python: str, platform: str) -> None:
    """Run one command with its absolute paths below `root`."""
    instead = {
        "uv": [str(_UV)],
        "python": [python],
        "$LAMBDA_TASK_ROOT": [_TASK_ROOT],
        "--system": ["--python", python, "--python-platform", platform, "--python-version", "3.13"],
        "--no-cache": ["--quiet", "--link-mode", "copy"],
    }
    words = [
        word
        for given in shlex.split(command)
        for word in instead.get(given, [re.sub(r"^/(?=tmp|package)", f"{root}/", given)])
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"{command}: {done.stderr}")
