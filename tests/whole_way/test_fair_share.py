"""One owner's many files do not delay another owner's file, even if the only worker is busy."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

from assay.client import Client
from local.stack import Stack
from tests.whole_way.sending import send

MANY = 50
WAITING = {"awaiting_upload", "queued"}


def file_of(folder: Path, owner: UUID, number: int) -> Path:
    path = folder / f"{owner}-{number}.csv"
    path.write_text(f"Station_ID,Date_Time,PCode,Result,Owner\nCT,2024-01-01 10:00,Data 1,{number},{owner}\n")
    return path


def test_a_file_that_comes_after_many_of_another_owner_is_done_long_before_them(stack: Stack, tmp_path: Path) -> None:
    busy, quick = uuid4(), uuid4()
    with Client(stack.url, stack.token_for(busy)) as many, Client(stack.url, stack.token_for(quick)) as one:
        job_ids = [send(many, file_of(tmp_path, busy, number)).job.job_id for number in range(MANY)]
        mine = send(one, file_of(tmp_path, quick, 0)).job
        waiting = [job_id for job_id in job_ids if many.job(job_id).status in WAITING]
        assert len(waiting) > MANY / 2, "the worker was too fast for this test"

        done = one.wait(mine.job_id)
        assert done.status == "done", done.error
        assert done.finished_at is not None
        overtook = [many.job(job_id) for job_id in waiting]
        before = [job for job in overtook if job.finished_at is not None and job.finished_at < done.finished_at]
        # Those at work while the news came and while the turn came round.
        assert len(before) <= 4

        for job in overtook:
            if job.status in WAITING:
                many.cancel(job.job_id)
