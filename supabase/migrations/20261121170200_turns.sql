-- Whose turn it is: fair between owners, however many files one of them sends. And every attempt says how it ended; a job may be tried
-- again or processed anew by hand.

set lock_timeout = '5s';
set statement_timeout = '5min';

-- Start-time fair queueing (Goyal, Vin, Cheng 1996) with jobs of equal weight: a job gets the turn after the last one that its owner has
-- in the queue, but not before the turn that the queue as a whole has come to. The lowest turn is next.
alter table assay.jobs add column turn bigint;
-- The attempts that were made before the user last asked for more: max_attempts counts from here on.
alter table assay.jobs add column attempts_before integer not null default 0 check (attempts_before >= 0);
update assay.jobs set turn = 0 where status in ('queued', 'running');
-- A migration is one transaction, in which CONCURRENTLY is not possible.
-- squawk-ignore require-concurrent-index-creation
create index jobs_by_turn on assay.jobs (turn, run_after) where status = 'queued';
-- squawk-ignore require-concurrent-index-creation
create index jobs_by_owner_and_turn on assay.jobs (owner, turn desc) where status = 'queued';
-- squawk-ignore require-concurrent-index-creation
create index jobs_running on assay.jobs (owner) where status = 'running';
-- squawk-ignore require-concurrent-index-creation
create index jobs_awaiting on assay.jobs (created_at) where status = 'awaiting_upload';
-- Each of the three has an index of its own now, which does not change with every heartbeat.
-- squawk-ignore require-concurrent-index-deletion
drop index assay.jobs_to_sweep;
-- squawk-ignore require-concurrent-index-creation
create index attempts_by_live_worker on assay.attempts (worker) where outcome is null;

create function assay.set_turn() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.turn := greatest(
        (select max(j.turn) + 1 from assay.jobs j where j.owner = new.owner and j.status = 'queued'),
        -- One that waits to be tried again keeps its old turn, and is not where the queue has come to.
        coalesce(
            (select j.turn from assay.jobs j where j.status = 'queued' and j.run_after <= now() order by j.turn limit 1),
            (select min(j.turn) from assay.jobs j where j.status = 'queued'), 0));
    return new;
end $$;
create trigger set_turn_of_new before insert on assay.jobs
    for each row when (new.status = 'queued') execute function assay.set_turn();
-- One that comes back from an attempt keeps its turn.
create trigger set_turn before update of status on assay.jobs
    for each row when (new.status = 'queued' and old.status <> 'running') execute function assay.set_turn();

create or replace function assay.guard_status() returns trigger
language plpgsql set search_path = '' as $$
begin
    if (old.status, new.status) not in (
        ('awaiting_upload', 'queued'), ('awaiting_upload', 'cancelled'), ('awaiting_upload', 'expired'),
        ('queued', 'running'), ('queued', 'cancelled'),
        ('running', 'queued'), ('running', 'needs_type'),
        ('running', 'done'), ('running', 'failed'), ('running', 'cancelled'),
        ('needs_type', 'queued'), ('needs_type', 'cancelled'),
        ('failed', 'queued'), ('cancelled', 'queued')
    ) then
        raise exception 'a job cannot go from % to %', old.status, new.status using errcode = 'check_violation';
    end if;
    return new;
end $$;

-- The job's row, locked, if p_attempt is the attempt that runs it; otherwise a null row. This and claim_json are in PL/pgSQL now, as all that is
-- called often: its plans are kept, while those of a function in SQL are made at each call.
create or replace function assay.lock_attempt(p_job_id uuid, p_attempt integer) returns assay.jobs
language plpgsql set search_path = '' as $$
declare
    v_job assay.jobs;
begin
    select * into v_job from assay.jobs where job_id = p_job_id and attempt = p_attempt and status = 'running' for update;
    return v_job;
end $$;

create or replace function assay.claim_json(p_job assay.jobs) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
    v_job jsonb := assay.job_json(p_job);
begin
    return jsonb_build_object('claimed', true, 'attempt', p_job.attempt, 'owner', p_job.owner,
        'object_key', 'uploads/' || p_job.owner || '/' || (v_job ->> 'sha256'), 'job', v_job);
end $$;

create function assay.running_jobs(p_owner uuid) returns integer
language plpgsql volatile set search_path = '' as $$
begin
    return (select count(*) from assay.jobs j
        where j.owner = p_owner and j.status = 'running' and j.lease_expires_at > clock_timestamp());
end $$;

-- The owners who run as many jobs as their plan allows.
create function assay.busy_owners() returns uuid[]
language plpgsql volatile set search_path = '' as $$
begin
    return (
        select coalesce(array_agg(running.owner), '{}')
        from (select j.owner, count(*) as jobs from assay.jobs j
              where j.status = 'running' and j.lease_expires_at > clock_timestamp() group by j.owner) running
        join assay.owners o using (owner) join assay.plans p using (plan)
        where running.jobs >= p.running_jobs);
end $$;

create function assay.start_attempt(p_job_id uuid, p_worker text, p_lease_seconds integer, p_memory_mb integer) returns assay.jobs
language plpgsql set search_path = '' as $$
declare
    v_now timestamptz := clock_timestamp();
    v_job assay.jobs;
begin
    update assay.jobs set status = 'running', attempt = attempt + 1,
        lease_expires_at = v_now + make_interval(secs => p_lease_seconds),
        started_at = coalesce(started_at, v_now), progress = 0, stage = 'starting'
    where job_id = p_job_id returning * into v_job;
    insert into assay.attempts (job_id, attempt, owner, worker, started_at, memory_mb)
    values (p_job_id, v_job.attempt, v_job.owner, p_worker, v_now, p_memory_mb);
    return v_job;
end $$;

-- Start an attempt at the queued job whose turn it is: due, and of an owner who runs fewer jobs than the plan allows. A null row if there is none.
create function assay.start_next(p_worker text, p_lease_seconds integer, p_memory_mb integer) returns assay.jobs
language plpgsql set search_path = '' as $$
declare
    v_now timestamptz := clock_timestamp();
    v_busy uuid[] := assay.busy_owners();
    v_job assay.jobs;
begin
    loop
        begin
            select * into v_job from assay.jobs j
            where j.status = 'queued' and j.run_after <= v_now and j.owner <> all (v_busy)
            order by j.turn, j.run_after limit 1 for update skip locked;
            if not found then
                return null;
            end if;
            -- Two workers at once count one after the other.
            perform from assay.owners where owner = v_job.owner for no key update;
            if assay.running_jobs(v_job.owner) < (assay.plan_of(v_job.owner)).running_jobs then
                return assay.start_attempt(v_job.job_id, p_worker, p_lease_seconds, p_memory_mb);
            end if;
            -- Lets go of both rows: whoever waits for one owner's must hold no other's.
            raise exception using errcode = 'AS001', message = 'the owner is busy';
        exception when sqlstate 'AS001' then
            v_busy := v_busy || v_job.owner;
        end;
    end loop;
end $$;

-- Whether the owner has a job that could start now: who ended an attempt then tells the queue, since the hint that came with that job may
-- have found the owner busy.
create function assay.has_queued(p_owner uuid) returns boolean
language plpgsql stable set search_path = '' as $$
begin
    return exists (select from assay.jobs j where j.owner = p_owner and j.status = 'queued' and j.run_after <= now());
end $$;

-- Start an attempt at the job whose turn it is: {"claimed": true, "attempt", "object_key", "owner", "job"} and a lease of p_lease_seconds;
-- or {"claimed": false, "reason": "nothing_due"}. p_worker names one invocation of one worker; asked again by it, even before the first call
-- has answered, the claim is the same.
-- The worker of an earlier version names the job, whoever's turn it is, and may also hear the reasons `leased` (another attempt is
-- alive) and `backing_off` (a retry is not due yet) with "retry_after_seconds", `ended` (nothing is left to do) or `unknown_job`. A
-- running job whose lease ran out is then taken over.
-- squawk-ignore ban-drop-function
drop function public.claim_job(uuid, text, integer, integer);
create function public.claim_job(
    p_worker text, p_lease_seconds integer, p_memory_mb integer default null, p_job_id uuid default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_job assay.jobs;
    v_now timestamptz;
begin
    if p_job_id is null then
        perform pg_advisory_xact_lock(hashtextextended('assay.claim_job ' || p_worker, 0));
        select j.* into v_job from assay.attempts a join assay.jobs j using (job_id, attempt)
        where a.worker = p_worker and a.outcome is null and j.status = 'running';
        if not found then
            v_job := assay.start_next(p_worker, p_lease_seconds, p_memory_mb);
        end if;
        if v_job.job_id is null then
            return jsonb_build_object('claimed', false, 'reason', 'nothing_due');
        end if;
    else
        select * into v_job from assay.jobs where job_id = p_job_id for update;
        v_now := clock_timestamp();  -- now() is older than the wait for the lock
        if not found then
            return jsonb_build_object('claimed', false, 'reason', 'unknown_job');
        elsif v_job.status not in ('queued', 'running') then
            return jsonb_build_object('claimed', false, 'reason', 'ended', 'status', v_job.status);
        elsif v_job.status = 'running' and exists (
            select 1 from assay.attempts a
            where a.job_id = p_job_id and a.attempt = v_job.attempt and a.worker = p_worker and a.outcome is null
        ) then
            return assay.claim_json(v_job);
        elsif v_job.status = 'running' and v_job.lease_expires_at > v_now then
            return jsonb_build_object('claimed', false, 'reason', 'leased', 'retry_after_seconds',
                ceil(extract(epoch from v_job.lease_expires_at - v_now))::integer);
        elsif v_job.status = 'queued' and v_job.run_after > v_now then
            return jsonb_build_object('claimed', false, 'reason', 'backing_off', 'retry_after_seconds',
                ceil(extract(epoch from v_job.run_after - v_now))::integer);
        end if;
        if v_job.status = 'running' then
            v_job := assay.settle_lost(v_job);
            if v_job.status <> 'queued' then
                return jsonb_build_object('claimed', false, 'reason', 'ended', 'status', v_job.status);
            end if;
        end if;
        v_job := assay.start_attempt(p_job_id, p_worker, p_lease_seconds, p_memory_mb);
    end if;
    return assay.claim_json(v_job);
end $$;

-- What an attempt stored is of use only if it ended as done. A lost one may go on storing until Lambda ends it, at the latest 15 minutes
-- after it began.
create function assay.delete_outputs_of(p_attempt assay.attempts) returns void
language plpgsql set search_path = '' as $$
begin
    if p_attempt.outcome in ('failed', 'retry', 'cancelled', 'lost') then
        perform assay.delete_later(
            'outputs/' || p_attempt.owner || '/' || p_attempt.job_id || '/' || p_attempt.attempt || '/',
            now() + case p_attempt.outcome when 'lost' then interval '15 minutes' else interval '0' end, false);
    end if;
end $$;

create or replace function assay.end_attempt(p_job_id uuid, p_attempt integer, p_outcome text, p_error jsonb) returns void
language plpgsql set search_path = '' as $$
declare
    v_attempt assay.attempts;
begin
    update assay.attempts set ended_at = clock_timestamp(), outcome = p_outcome, error = p_error
    where job_id = p_job_id and attempt = p_attempt and outcome is null returning * into v_attempt;
    perform assay.delete_outputs_of(v_attempt);
end $$;

-- End or queue again a running job whose lease ran out: its worker is lost.
create or replace function assay.settle_lost(p_job assay.jobs) returns assay.jobs
language plpgsql set search_path = '' as $$
declare
    v_job assay.jobs;
    v_now timestamptz := clock_timestamp();
    v_status text := case
        when p_job.cancel_requested then 'cancelled' when p_job.attempt >= p_job.max_attempts then 'failed' else 'queued' end;
begin
    perform assay.end_attempt(p_job.job_id, p_job.attempt, 'lost', jsonb_build_object(
        'code', 'worker_lost', 'detail', 'The worker was not heard of until its lease ran out.',
        'suggestion', 'Nothing needs to be done: the job is tried again as long as it has attempts left.'));
    update assay.jobs set status = v_status, lease_expires_at = null, run_after = v_now,
        stage = case when v_status = 'queued' then 'waiting for a worker' end,
        finished_at = case when v_status <> 'queued' then v_now end,
        error = case when v_status = 'failed' then jsonb_build_object(
            'code', 'attempts_exhausted',
            'detail', 'The job was tried ' || p_job.attempt - p_job.attempts_before || ' times, and its worker was lost the last time.',
            'suggestion', 'Try again with POST /jobs/{job_id}/retry; if the file is very large, split it.') end
    where job_id = p_job.job_id returning * into v_job;
    return v_job;
end $$;

-- The answer to a write of an attempt that no longer runs: the one it got already, if it is repeated, or `stale_attempt`.
create or replace function assay.answer_ended(p_job_id uuid, p_attempt integer, p_outcomes text[]) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
    return coalesce(
        (select jsonb_build_object('accepted', true, 'status', j.status, 'cost', j.cost, 'more', assay.has_queued(j.owner))
         from assay.jobs j join assay.attempts a using (job_id, attempt)
         where j.job_id = p_job_id and j.attempt = p_attempt and a.outcome = any (p_outcomes)),
        jsonb_build_object('accepted', false, 'reason', 'stale_attempt'));
end $$;

create or replace function assay.cancel_running(p_job_id uuid, p_attempt integer) returns jsonb
language plpgsql set search_path = '' as $$
declare
    v_job assay.jobs;
begin
    perform assay.end_attempt(p_job_id, p_attempt, 'cancelled', null);
    update assay.jobs set status = 'cancelled', lease_expires_at = null, finished_at = now(), stage = null
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', false, 'reason', 'cancelled', 'status', 'cancelled', 'cost', v_job.cost,
        'more', assay.has_queued(v_job.owner));
end $$;

-- The heartbeat: extends the lease, tells how far the attempt is, and learns whether the user cancelled the job. p_max_attempts is the
-- pipeline's, told with the detection.
-- squawk-ignore ban-drop-function
drop function public.report_progress(uuid, integer, integer, double precision, text, jsonb);
create function public.report_progress(
    p_job_id uuid, p_attempt integer, p_lease_seconds integer, p_progress double precision, p_stage text, p_detection jsonb,
    p_max_attempts integer default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_job assay.jobs := assay.lock_attempt(p_job_id, p_attempt);
begin
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{}');
    end if;
    update assay.jobs set lease_expires_at = clock_timestamp() + make_interval(secs => p_lease_seconds),
        progress = greatest(progress, p_progress::real), stage = p_stage, detection = coalesce(p_detection, detection),
        max_attempts = case when p_max_attempts is null then max_attempts else greatest(attempt, attempts_before + p_max_attempts) end
    where job_id = p_job_id;
    return jsonb_build_object('accepted', true, 'cancel_requested', v_job.cancel_requested);
end $$;

-- Detection is not sure enough: the job waits for a person to choose. This and the two below answer {"accepted", "status", "cost",
-- "more"}; `more` says that the owner has another job that could start now.
create or replace function public.await_type(p_job_id uuid, p_attempt integer, p_detection jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_job assay.jobs := assay.lock_attempt(p_job_id, p_attempt);
begin
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{needs_type}');
    elsif v_job.cancel_requested then
        return assay.cancel_running(p_job_id, p_attempt);
    end if;
    perform assay.end_attempt(p_job_id, p_attempt, 'needs_type', null);
    update assay.jobs set status = 'needs_type', lease_expires_at = null, detection = p_detection, stage = null
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', true, 'status', 'needs_type', 'cost', v_job.cost, 'more', assay.has_queued(v_job.owner));
end $$;

-- Done: the outputs (an array of {name, media_type, size_bytes, sha256} in order) become visible with the status, in
-- one transaction.
create or replace function public.finish_job(
    p_job_id uuid, p_attempt integer, p_dataset_type text, p_pipeline text, p_pipeline_version text,
    p_summary jsonb, p_manifest_sha256 text, p_outputs jsonb
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_job assay.jobs := assay.lock_attempt(p_job_id, p_attempt);
begin
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{done}');
    elsif v_job.cancel_requested then
        return assay.cancel_running(p_job_id, p_attempt);
    end if;
    insert into assay.outputs (job_id, attempt, owner, position, name, media_type, object_key, size_bytes, sha256)
    select p_job_id, p_attempt, v_job.owner, o.position, o.output ->> 'name', o.output ->> 'media_type',
        'outputs/' || v_job.owner || '/' || p_job_id || '/' || p_attempt || '/' || (o.output ->> 'name'),
        (o.output ->> 'size_bytes')::bigint, o.output ->> 'sha256'
    from jsonb_array_elements(p_outputs) with ordinality as o (output, position);
    perform assay.end_attempt(p_job_id, p_attempt, 'done', null);
    update assay.jobs set status = 'done', lease_expires_at = null, finished_at = now(), progress = 1, stage = null,
        dataset_type = p_dataset_type, pipeline = p_pipeline, pipeline_version = p_pipeline_version,
        summary = p_summary, manifest_sha256 = p_manifest_sha256
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', true, 'status', 'done', 'cost', v_job.cost, 'more', assay.has_queued(v_job.owner));
end $$;

-- The attempt failed with p_error {code, detail, suggestion}. Without p_retry_after_seconds the failure is final;
-- with it the job is queued again after that delay, as long as attempts are left. Where the stored bytes are not those that were
-- announced, or are gone, the upload no longer counts as stored, unless others came since the attempt began.
create or replace function public.fail_job(p_job_id uuid, p_attempt integer, p_error jsonb, p_retry_after_seconds integer)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_upload assay.uploads;
    v_job assay.jobs;
    v_code text := p_error ->> 'code';
begin
    if v_code in ('hash_mismatch', 'size_mismatch', 'object_missing') then
        -- The upload before the job: the order of register_upload.
        select u.* into v_upload from assay.uploads u join assay.jobs j using (upload_id) where j.job_id = p_job_id
        for update of u;
    end if;
    v_job := assay.lock_attempt(p_job_id, p_attempt);
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{failed,retry}');
    elsif v_job.cancel_requested then
        return assay.cancel_running(p_job_id, p_attempt);
    elsif p_retry_after_seconds is not null and p_attempt < v_job.max_attempts then
        perform assay.end_attempt(p_job_id, p_attempt, 'retry', p_error);
        update assay.jobs set status = 'queued', lease_expires_at = null, stage = 'waiting to try again',
            run_after = clock_timestamp() + make_interval(secs => p_retry_after_seconds)
        where job_id = p_job_id returning * into v_job;
        return jsonb_build_object('accepted', true, 'status', 'queued', 'cost', v_job.cost, 'more', assay.has_queued(v_job.owner));
    end if;
    if v_upload.stored_at < (select a.started_at from assay.attempts a where a.job_id = p_job_id and a.attempt = p_attempt) then
        update assay.uploads set stored_at = null where upload_id = v_upload.upload_id;
        if v_code <> 'object_missing' then
            perform assay.delete_later('uploads/' || v_upload.owner || '/' || v_upload.sha256, now(), false);
        end if;
    end if;
    perform assay.end_attempt(p_job_id, p_attempt, 'failed', p_error);
    update assay.jobs set status = 'failed', error = p_error, lease_expires_at = null, finished_at = now(), stage = null
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', true, 'status', 'failed', 'cost', v_job.cost, 'more', assay.has_queued(v_job.owner));
end $$;

-- A job of the caller's own with its upload, both locked. Raises a problem (404).
create function assay.lock_own_job(p_job_id uuid, out upload assay.uploads, out job assay.jobs)
language plpgsql set search_path = '' as $$
begin
    select u.* into upload from assay.uploads u join assay.jobs j using (upload_id)
    where j.job_id = p_job_id and j.owner = assay.signed_in_owner() for update of u;
    select * into job from assay.jobs where job_id = p_job_id and upload_id = upload.upload_id for update;
    if not found then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
end $$;

create function assay.require_stored(p_upload assay.uploads) returns void
language plpgsql set search_path = '' as $$
begin
    if p_upload.stored_at is null then
        perform assay.raise_problem(409, 'bytes_missing', 'The file''s bytes are not in the object store.',
            'Upload the file again with POST /uploads.');
    end if;
end $$;

-- Try a failed or cancelled job again, with as many attempts as a new one has. The worker is to be told.
create function public.retry_job(p_job_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_own record := assay.lock_own_job(p_job_id);
    v_upload assay.uploads := v_own.upload;
    v_job assay.jobs := v_own.job;
begin
    if v_job.status not in ('failed', 'cancelled') then
        perform assay.raise_problem(409, 'job_not_retryable', 'The job is ' || replace(v_job.status, '_', ' ') || '.',
            'Only a failed or cancelled job can be tried again; for one that is done use POST /jobs/{job_id}/reprocess.');
    end if;
    perform assay.require_stored(v_upload);
    if exists (
        select from assay.jobs j where j.upload_id = v_upload.upload_id and not j.cancel_requested
            and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
            and j.requested_dataset_type is not distinct from v_job.requested_dataset_type and j.parameters = v_job.parameters
    ) then
        perform assay.raise_problem(409, 'already_under_way', 'Another job does the same with the same file.',
            'Find it with GET /jobs, and wait for it.');
    end if;
    update assay.jobs set status = 'queued', error = null, cancel_requested = false, finished_at = null, run_after = now(),
        progress = 0, stage = null, attempts_before = attempt, max_attempts = attempt + 3
    where job_id = p_job_id returning * into v_job;
    perform assay.admit(v_job.owner);
    return assay.job_json(v_job);
end $$;

-- Process the file of a job anew, with the same dataset type and parameters and the pipeline of today: {"new", "job"}. Where such a job is
-- under way, that one answers. The worker is to be told.
create function public.reprocess_job(p_job_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_own record := assay.lock_own_job(p_job_id);
    v_upload assay.uploads := v_own.upload;
    v_job assay.jobs := v_own.job;
    v_new assay.jobs;
begin
    select * into v_new from assay.jobs j where j.upload_id = v_upload.upload_id and not j.cancel_requested
        and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
        and j.requested_dataset_type is not distinct from v_job.requested_dataset_type and j.parameters = v_job.parameters;
    if found then
        return jsonb_build_object('new', false, 'job', assay.job_json(v_new));
    end if;
    perform assay.require_stored(v_upload);
    insert into assay.jobs (owner, upload_id, filename, size_bytes, requested_dataset_type, parameters, status)
    values (v_job.owner, v_job.upload_id, v_job.filename, v_job.size_bytes, v_job.requested_dataset_type, v_job.parameters, 'queued')
    returning * into v_new;
    perform assay.admit(v_job.owner);
    return jsonb_build_object('new', true, 'job', assay.job_json(v_new));
end $$;

create or replace function public.get_job(p_job_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
    v_job assay.jobs;
begin
    select * into v_job from assay.jobs where job_id = p_job_id;
    if not found then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
    return assay.job_json(v_job) || jsonb_build_object('attempts', (
        select coalesce(jsonb_agg(jsonb_build_object(
            'attempt', a.attempt, 'worker', a.worker, 'started_at', a.started_at, 'ended_at', a.ended_at,
            'duration_seconds', round(extract(epoch from a.ended_at - a.started_at), 3),
            'outcome', a.outcome, 'error', a.error) order by a.attempt), '[]')
        from assay.attempts a where a.job_id = p_job_id));
end $$;

-- The estimate, for all attempts that have ended: {"currency", "total", "compute", "requests", "storage_month", "gb_seconds",
-- "request_count", "stored_bytes", "prices_as_of"}, amounts in USD; null where no attempt knows its memory or a price is missing.
--   compute        each attempt's time x memory, from its claim to its end (a lost one at most 15 minutes, Lambda's limit; never
--                  less than none, even if the clock was set back)
--   requests       Lambda: one to register, one for the event of the object store, and one an attempt; SQS: three (send, receive, delete)
--                  for the event and three an attempt;
--                  S3: one PUT for the upload and one an output, one GET an attempt
--   storage_month  the upload and the outputs for one month, in S3 Standard
-- Not counted: API Gateway, the other functions' own time, a worker's time before its claim, /tmp beyond 512 MB, data transfer, logs,
-- Supabase. A GB is 2^30 bytes, as on AWS's bills. prices_as_of is the date of the oldest price.
create or replace function assay.job_cost(p_job assay.jobs) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
    v_attempts bigint;
    v_gb_seconds numeric;
    v_outputs bigint;
    v_stored_bytes numeric;
    v_usd jsonb;
    v_as_of date;
    v_compute numeric;
    v_requests numeric;
    v_storage_month numeric;
begin
    select count(*), sum(greatest(least(extract(epoch from a.ended_at - a.started_at), 900), 0) * a.memory_mb / 1024)
    into v_attempts, v_gb_seconds from assay.attempts a where a.job_id = p_job.job_id and a.ended_at is not null;
    select count(*), p_job.size_bytes + coalesce(sum(o.size_bytes), 0)
    into v_outputs, v_stored_bytes from assay.outputs o where o.job_id = p_job.job_id;
    select jsonb_object_agg(p.item, p.usd), min(p.as_of) into v_usd, v_as_of from assay.list_prices p
    where p.item in ('lambda_gb_second', 'lambda_request', 'sqs_request', 's3_put', 's3_get', 's3_gb_month');

    v_compute := round(v_gb_seconds * (v_usd ->> 'lambda_gb_second')::numeric, 10);
    v_requests := round((2 + v_attempts) * (v_usd ->> 'lambda_request')::numeric
        + (3 + 3 * v_attempts) * (v_usd ->> 'sqs_request')::numeric
        + (1 + v_outputs) * (v_usd ->> 's3_put')::numeric + v_attempts * (v_usd ->> 's3_get')::numeric, 10);
    v_storage_month := round(v_stored_bytes / 1073741824 * (v_usd ->> 's3_gb_month')::numeric, 10);
    if v_compute + v_requests + v_storage_month is null then
        return null;
    end if;
    return jsonb_build_object('currency', 'USD', 'total', v_compute + v_requests + v_storage_month,
        'compute', v_compute, 'requests', v_requests, 'storage_month', v_storage_month,
        'gb_seconds', round(v_gb_seconds, 6), 'request_count', 6 + 5 * v_attempts + v_outputs,
        'stored_bytes', v_stored_bytes, 'prices_as_of', v_as_of);
end $$;

-- Once a minute: what would otherwise wait for ever. Uploads that were announced more than p_upload_seconds ago and never
-- came expire; jobs whose worker was lost end or are queued again. `hints` counts what the queue is to be told of: one for each that was
-- lost, and one for each queued job that has been due for p_quiet_seconds while its owner could run more, whose message may be
-- lost; that one is not counted again before another p_quiet_seconds have passed. At most 200 of each in one call, so that it is
-- short; `full` says that there may be more. `failed` are the costs of the lost ones that had no attempt left. `waiting` counts what
-- is left to do, of all owners; each count reads an index of unfinished jobs alone (cancelling a job that waits for its type ends it
-- at once, so that the condition of jobs_one_under_way leaves none out).
create or replace function public.sweep_jobs(p_upload_seconds integer, p_quiet_seconds integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_expired integer;
    v_lost integer;
    v_quiet integer;
    v_failed jsonb;
    v_busy uuid[];
begin
    update assay.jobs set status = 'expired', finished_at = now()
    where job_id in (
        select j.job_id from assay.jobs j join assay.uploads u using (upload_id)
        where j.status = 'awaiting_upload' and j.created_at < now() - make_interval(secs => p_upload_seconds)
            and u.last_used < now() - make_interval(secs => p_upload_seconds)
        limit 200 for update of u, j skip locked);
    get diagnostics v_expired = row_count;

    with lost as (
        select j from assay.jobs j where j.status = 'running' and j.lease_expires_at < now()
        limit 200 for update skip locked
    ), settled as (
        select assay.settle_lost(j) as j from lost
    )
    select count(*), coalesce(jsonb_agg((s.j).cost) filter (where (s.j).status = 'failed'), '[]')
    into v_lost, v_failed from settled s;

    v_busy := assay.busy_owners();
    update assay.jobs set run_after = now()
    where job_id in (
        select j.job_id from assay.jobs j
        where j.status = 'queued' and j.run_after < now() - make_interval(secs => p_quiet_seconds) and j.owner <> all (v_busy)
        limit 200 for update skip locked);
    get diagnostics v_quiet = row_count;

    -- The worker of an earlier version asks for `keys`; what it is not told of, the next sweep finds.
    return jsonb_build_object('expired', v_expired, 'lost', v_lost, 'failed', v_failed, 'hints', v_lost + v_quiet,
        'full', greatest(v_expired, v_lost, v_quiet) = 200,
        'keys', '[]'::jsonb, 'waiting', jsonb_build_object(
            'awaiting_upload', (select count(*) from assay.jobs where status = 'awaiting_upload'),
            'queued', (select count(*) from assay.jobs where status = 'queued'),
            'running', (select count(*) from assay.jobs where status = 'running'),
            'needs_type', (select count(*) from assay.jobs where status = 'needs_type' and not cancel_requested)));
end $$;

revoke execute on function assay.set_turn, assay.running_jobs, assay.busy_owners, assay.start_attempt, assay.start_next, assay.has_queued,
    assay.delete_outputs_of, assay.lock_own_job, assay.require_stored from public;
revoke execute on function public.claim_job, public.report_progress, public.retry_job, public.reprocess_job
    from public, anon, authenticated, service_role;
grant execute on function public.claim_job, public.report_progress to service_role;
grant execute on function public.retry_job, public.reprocess_job to authenticated;
