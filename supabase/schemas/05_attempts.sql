-- Attempts: an attempt is one try at a job by one worker.

create table assay.attempts (
    job_id     uuid not null references assay.jobs on delete cascade,
    attempt    integer not null check (attempt > 0),
    owner      uuid not null,
    worker     text not null,  -- one invocation of one worker
    memory_mb  integer not null check (memory_mb > 0),  -- of the worker
    started_at timestamptz not null default now(),
    ended_at   timestamptz,
    -- retry: it failed and the job was queued again; lost: its lease expired; superseded: another dataset type was
    -- chosen while it ran. The other values are the job's new status.
    outcome    text check (outcome in (
        'done', 'failed', 'retry', 'needs_type', 'cancelled', 'lost', 'superseded')),
    error      jsonb,
    primary key (job_id, attempt),
    check ((outcome is null) = (ended_at is null))
);
create unique index attempts_one_live on assay.attempts (job_id) where outcome is null;
create index attempts_by_live_worker on assay.attempts (worker) where outcome is null;
create index attempts_by_owner on assay.attempts (owner);

alter table assay.attempts enable row level security;
create policy owner_reads on assay.attempts for select to authenticated using (owner = (select auth.uid()));
grant select on assay.attempts to authenticated;

-- Delete the outputs of an attempt that did not end as done. A lost or superseded worker may continue to store outputs
-- until Lambda ends it, at most 15 minutes after it started.
create function assay.delete_outputs_of(p_attempt assay.attempts) returns void
language plpgsql set search_path = '' as $$
begin
    if p_attempt.outcome in ('failed', 'retry', 'cancelled', 'lost', 'superseded') then
        perform assay.delete_later(
            'outputs/' || p_attempt.owner || '/' || p_attempt.job_id || '/' || p_attempt.attempt || '/',
            now() + case when p_attempt.outcome in ('lost', 'superseded') then interval '15 minutes' else '0' end,
            false);
    end if;
end $$;

create function assay.end_attempt(p_job_id uuid, p_attempt integer, p_outcome text, p_error jsonb) returns void
language plpgsql set search_path = '' as $$
declare
    v_attempt assay.attempts;
begin
    update assay.attempts set ended_at = clock_timestamp(), outcome = p_outcome, error = p_error
    where job_id = p_job_id and attempt = p_attempt and outcome is null returning * into v_attempt;
    perform assay.delete_outputs_of(v_attempt);
end $$;

-- End a running job whose lease has expired, or queue it again.
create function assay.settle_lost(p_job assay.jobs) returns assay.jobs
language plpgsql set search_path = '' as $$
declare
    v_job assay.jobs;
    v_now timestamptz := clock_timestamp();
    v_status text := case
        when p_job.cancel_requested then 'cancelled'
        when p_job.attempt >= p_job.max_attempts then 'failed'
        else 'queued' end;
begin
    perform assay.end_attempt(p_job.job_id, p_job.attempt, 'lost', jsonb_build_object(
        'code', 'worker_lost', 'detail', 'The worker sent no heartbeat before its lease expired.',
        'suggestion', 'No action is needed: the job is retried while it has attempts left.'));
    update assay.jobs set status = v_status, lease_expires_at = null, run_after = v_now,
        stage = case when v_status = 'queued' then 'waiting for a worker' end,
        finished_at = case when v_status <> 'queued' then v_now end,
        error = case when v_status = 'failed' then jsonb_build_object(
            'code', 'attempts_exhausted',
            'detail', format('The job had %s attempts; the worker of the last one was lost.',
                p_job.attempt - p_job.attempts_before),
            'suggestion', 'Retry with POST /jobs/{job_id}/retry. If the file is very large, split it.') end
    where job_id = p_job.job_id returning * into v_job;
    return v_job;
end $$;

revoke execute on all functions in schema assay from public;
