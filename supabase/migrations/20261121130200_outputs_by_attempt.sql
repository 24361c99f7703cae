-- The foreign key of outputs names two columns; the unique index on (job_id, name) covers only the first of them.

set lock_timeout = '5s';
set statement_timeout = '5min';  -- reads all of outputs; until it is there, no job can end

-- A migration is one transaction, in which CONCURRENTLY is not possible.
-- squawk-ignore require-concurrent-index-creation
create index outputs_by_attempt on assay.outputs (job_id, attempt);
