-- A job that waits for its turn, and one that was tried again by hand.

update assay.jobs set turn = 7 where status = 'queued';
update assay.jobs set attempts_before = 1, max_attempts = 4 where status = 'failed';
