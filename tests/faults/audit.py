"""What must be true after any fault, and the table of what was seen."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.faults.world import User, World, manifest

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


class Row(NamedTuple):
    """One line of the table."""

    fault: str
    outcome: str


def ended(user: User, job_id: str) -> str:
    """How a job ended, in words: its status, and each attempt's outcome."""
    job = user.job(job_id)
    outcomes = [attempt["outcome"] for attempt in job["attempts"]]
    assert None not in outcomes, outcomes
    error = f" ({job['error']['code']})" if job["error"] else ""
    tries = f" at attempt {len(outcomes)}, after {', '.join(outcomes[:-1])}" if len(outcomes) > 1 else ""
    return f"{job['status']}{error}{tries}"


def nothing_lost(user: User, job_ids: Sequence[str], content: bytes) -> None:
    """Every job has ended; those that are done have outputs under their true hashes, tied together by the manifest."""
    for job_id in job_ids:
        job = user.job(job_id)
        outputs = user.outputs(job_id)
        assert (job["status"] == "done") == bool(outputs)
        if outputs:
            lineage = manifest(outputs)
            assert hashlib.sha256(outputs["manifest.json"]).hexdigest() == job["manifest_sha256"]
            assert lineage["input"]["sha256"] == hashlib.sha256(content).hexdigest()
            assert {one["name"]: one["sha256"] for one in lineage["outputs"]} == {
                name: hashlib.sha256(made).hexdigest() for name, made in outputs.items() if name != "manifest.json"
            }


def nothing_left(world: World) -> None:
    """After the clean-up the bucket holds what the rows name and no more, the figures add up, and no child lives on."""
    world.rows("update assay.deletions set due_at = now(), taken_at = null")
    world.wait_for("select 1 where not exists (select from assay.deletions)")
    named = world.rows(
        "select 'uploads/' || owner || '/' || sha256 from assay.uploads where stored_at is not null "
        "union all select object_key from assay.outputs"
    )
    kept, expected = world.keys(), {key for (key,) in named}
    assert kept == expected, f"orphans: {sorted(kept - expected)}; missing: {sorted(expected - kept)}"
    assert (
        world.rows(
            "select o.owner from assay.owners o where stored_bytes <> "
            "(select coalesce(sum(u.size_bytes), 0) from assay.uploads u where u.owner = o.owner) + "
            "(select coalesce(sum(t.size_bytes), 0) from assay.outputs t where t.owner = o.owner)"
        )
        == []
    )
    assert (
        world.rows("select job_id from assay.attempts where outcome = 'done' group by job_id having count(*) > 1") == []
    )
    world.stop_workers()
    children = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(world.home) in " ".join(process.info["cmdline"] or [])
        and "functions.process.sandbox" in " ".join(process.info["cmdline"] or [])
    ]
    assert children == []


def reference(content: bytes, folder: Path) -> dict[str, bytes]:
    """The outputs of the same bytes where nothing fails: `assay analyse`."""
    path = folder / "river.csv"
    path.write_bytes(content)
    subprocess.run(
        [sys.executable, "-m", "assay.cli", "analyse", str(path), "--out", str(folder / "out"), "--json"],
        check=True,
        capture_output=True,
    )
    return {one.name: one.read_bytes() for one in (folder / "out").iterdir()}


def page(rows: Sequence[Row]) -> str:
    """The page that is published."""
    lines = "\n".join(f"| {row.fault} | {row.outcome} |" for row in rows)
    return (Path(__file__).with_name("reliability.md").read_text(encoding="utf-8")).replace("{rows}", lines)
