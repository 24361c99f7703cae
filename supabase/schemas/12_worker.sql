-- The worker's functions, called as service_role. A claim returns an attempt number, which every later write passes. A
-- write for an older attempt changes nothing and returns {"accepted": false, "reason": "stale_attempt"}. A call that is
-- repeated because its answer was lost returns the same answer.

-- A new object is stored under uploads/{owner}/{sha256}: queue the jobs that wait for it. Returns {"known", "noted",
-- "jobs", "queued"}. `jobs` are the unfinished jobs of that upload, so that a repeated event includes jobs that were
-- queued earlier; `queued` is the number of them that are queued. `known` is false if no such upload is registered. If
-- the key is valid, it is then `noted`: a registration within a day finds the file stored, otherwise it is deleted. The
-- key is removed from the outbox in any case.
create function public.object_created(p_key text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_upload_id uuid;
begin
    delete from assay.outbox where object_key = p_key;
    if p_key !~ '^uploads/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{64}$' then
        return jsonb_build_object('known', false, 'noted', false, 'jobs', '[]'::jsonb, 'queued', 0);
    end if;
    perform assay.lock_bytes(p_key);
    select upload_id into v_upload_id from assay.uploads
    where owner = split_part(p_key, '/', 2)::uuid and sha256 = split_part(p_key, '/', 3) for no key update;
    if v_upload_id is null then
        perform assay.delete_later(p_key, now() + interval '1 day', true);
        return jsonb_build_object('known', false, 'noted', true, 'jobs', '[]'::jsonb, 'queued', 0);
    end if;
    delete from assay.deletions where object_key = p_key and taken_at is null;
    if exists (select from assay.deletions where object_key = p_key) then
        -- Sent over an old link: the deletion that has started may delete this object too.
        perform assay.delete_later(p_key, now(), false);
    else
        update assay.uploads set stored_at = now() where upload_id = v_upload_id;
        update assay.jobs set status = 'queued', run_after = now()
        where upload_id = v_upload_id and status = 'awaiting_upload';
    end if;
    return (
        select jsonb_build_object('known', true, 'noted', false,
            'jobs', coalesce(jsonb_agg(job_id order by created_at, job_id), '[]'),
            'queued', count(*) filter (where status = 'queued'))
        from assay.jobs where upload_id = v_upload_id and status in ('queued', 'running'));
end $$;

-- The answer to a successful claim. Chosen values are returned as the requested ones.
create function assay.claim_json(p_job assay.jobs) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
    v_job jsonb := assay.job_json(p_job);
begin
    return jsonb_build_object('claimed', true, 'attempt', p_job.attempt, 'owner', p_job.owner,
        'object_key', 'uploads/' || p_job.owner || '/' || (v_job ->> 'sha256'),
        'remembered_columns', assay.claimed_columns(p_job.owner),
        'job', v_job || jsonb_build_object(
            'requested_dataset_type', coalesce(p_job.chosen_dataset_type, p_job.requested_dataset_type),
            'parameters', coalesce(p_job.chosen_parameters, p_job.parameters)));
end $$;

-- The number of the owner's running jobs.
create function assay.running_jobs(p_owner uuid) returns integer
language plpgsql volatile set search_path = '' as $$
begin
    return (select count(*) from assay.jobs j
        where j.owner = p_owner and j.status = 'running' and j.lease_expires_at > clock_timestamp());
end $$;

-- The owners with as many running jobs as their plan allows.
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

create function assay.start_attempt(p_job_id uuid, p_worker text, p_lease_seconds integer, p_memory_mb integer)
returns assay.jobs
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

-- Start an attempt at the queued job with the lowest turn that is due and whose owner runs fewer jobs than the plan
-- allows. Returns a null row if there is none.
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
            -- Serialize workers, so that each counts the other's job.
            perform from assay.owners where owner = v_job.owner for no key update;
            if assay.running_jobs(v_job.owner) < (assay.plan_of(v_job.owner)).running_jobs then
                return assay.start_attempt(v_job.job_id, p_worker, p_lease_seconds, p_memory_mb);
            end if;
            -- Releases both rows: a worker must not lock one owner's row while it waits for another's.
            raise exception using errcode = 'AS001', message = 'the owner is busy';
        exception when sqlstate 'AS001' then
            v_busy := v_busy || v_job.owner;
        end;
    end loop;
end $$;

-- Whether the owner has a job that could start now. The worker that ended an attempt then sends a hint, because the
-- hint for that job may have been used up while the owner was at the limit.
create function assay.has_queued(p_owner uuid) returns boolean
language plpgsql stable set search_path = '' as $$
begin
    return exists (select from assay.jobs j where j.owner = p_owner and j.status = 'queued' and j.run_after <= now());
end $$;

-- Start an attempt at the next job, with a lease of p_lease_seconds: {"claimed": true, "attempt", "object_key",
-- "owner", "job"}, or {"claimed": false, "reason": "nothing_due"}. p_worker identifies one invocation of one worker. A
-- repeated call of the same worker, even before the first one has returned, gets the same claim.
create function public.claim_job(p_worker text, p_lease_seconds integer, p_memory_mb integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_job assay.jobs;
begin
    perform pg_advisory_xact_lock(hashtextextended('assay.claim_job ' || p_worker, 0));
    select j.* into v_job from assay.attempts a join assay.jobs j using (job_id, attempt)
    where a.worker = p_worker and a.outcome is null and j.status = 'running';
    if not found then
        v_job := assay.start_next(p_worker, p_lease_seconds, p_memory_mb);
    end if;
    if v_job.job_id is null then
        return jsonb_build_object('claimed', false, 'reason', 'nothing_due');
    end if;
    return assay.claim_json(v_job);
end $$;

-- Lock and return the job if p_attempt is its running attempt; otherwise return a null row.
create function assay.lock_attempt(p_job_id uuid, p_attempt integer) returns assay.jobs
language plpgsql set search_path = '' as $$
declare
    v_job assay.jobs;
begin
    select * into v_job from assay.jobs
    where job_id = p_job_id and attempt = p_attempt and status = 'running' for update;
    return v_job;
end $$;

-- The answer to a write of an attempt that has ended: the same answer as before, or `stale_attempt`.
create function assay.answer_ended(p_job_id uuid, p_attempt integer, p_outcomes text[]) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
    return coalesce(
        (select jsonb_build_object('accepted', true, 'status', j.status, 'cost', j.cost,
            'more', assay.has_queued(j.owner))
         from assay.jobs j join assay.attempts a using (job_id, attempt)
         where j.job_id = p_job_id and j.attempt = p_attempt and a.outcome = any (p_outcomes)),
        jsonb_build_object('accepted', false, 'reason', 'stale_attempt'));
end $$;

create function assay.cancel_running(p_job_id uuid, p_attempt integer) returns jsonb
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

-- The heartbeat: extend the lease, write the progress, and return whether the user cancelled the job. p_max_attempts is
-- the pipeline's maximum, which comes with the detection; null keeps the current value.
create function public.report_progress(
    p_job_id uuid, p_attempt integer, p_lease_seconds integer, p_progress double precision, p_stage text,
    p_detection jsonb, p_max_attempts integer
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
        max_attempts = case when p_max_attempts is null then max_attempts
            else greatest(attempt, attempts_before + p_max_attempts) end
    where job_id = p_job_id;
    return jsonb_build_object('accepted', true, 'cancel_requested', v_job.cancel_requested);
end $$;

-- The detection is not sure enough: the job waits until the user chooses a type. This and the two functions below
-- return {"accepted", "status", "cost", "more"}; `more` is whether the owner has another job that could start now.
create function public.await_type(p_job_id uuid, p_attempt integer, p_detection jsonb) returns jsonb
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
    return jsonb_build_object('accepted', true, 'status', 'needs_type', 'cost', v_job.cost,
        'more', assay.has_queued(v_job.owner));
end $$;

-- The job is done. p_outputs is an ordered array of {name, media_type, size_bytes, sha256}. The outputs become visible
-- together with the status.
create function public.finish_job(
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
    perform assay.remember_columns(v_job);
    return jsonb_build_object('accepted', true, 'status', 'done', 'cost', v_job.cost,
        'more', assay.has_queued(v_job.owner));
end $$;

-- The attempt failed with p_error {code, detail, suggestion}. Without p_retry_after_seconds the failure is final; with
-- it, the job is queued again after that delay if it has attempts left. If the stored file does not match its declared
-- size or hash, or is missing, the upload is marked as not stored, unless a file arrived since the attempt started.
create function public.fail_job(p_job_id uuid, p_attempt integer, p_error jsonb, p_retry_after_seconds integer)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_upload assay.uploads;
    v_job assay.jobs;
    v_code text := p_error ->> 'code';
begin
    if v_code in ('hash_mismatch', 'size_mismatch', 'object_missing') then
        -- Lock order, as in register_upload: the upload before the job.
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
        update assay.jobs set status = 'queued', lease_expires_at = null, stage = 'waiting for a retry',
            run_after = clock_timestamp() + make_interval(secs => p_retry_after_seconds)
        where job_id = p_job_id returning * into v_job;
        return jsonb_build_object('accepted', true, 'status', 'queued', 'cost', v_job.cost,
            'more', assay.has_queued(v_job.owner));
    end if;
    if v_upload.stored_at < (
        select a.started_at from assay.attempts a where a.job_id = p_job_id and a.attempt = p_attempt
    ) then
        update assay.uploads set stored_at = null where upload_id = v_upload.upload_id;
        if v_code <> 'object_missing' then
            perform assay.delete_later('uploads/' || v_upload.owner || '/' || v_upload.sha256, now(), false);
        end if;
    end if;
    perform assay.end_attempt(p_job_id, p_attempt, 'failed', p_error);
    update assay.jobs set status = 'failed', error = p_error, lease_expires_at = null, finished_at = now(), stage = null
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', true, 'status', 'failed', 'cost', v_job.cost,
        'more', assay.has_queued(v_job.owner));
end $$;

-- Called once a minute. Uploads that were registered more than p_upload_seconds ago and never arrived expire; jobs
-- whose worker was lost end or are queued again. Returns:
--   expired, lost  the number of jobs
--   failed         the costs of the lost jobs that had no attempts left
--   hints          the number of hints to send: one for each lost job, and one for each queued job that has been due
--                  for p_quiet_seconds while its owner could run more, because its hint may be lost; such a job counts
--                  again only after another p_quiet_seconds
--   full           whether there may be more: one call settles at most 200 of each kind
--   waiting        the number of unfinished jobs of all owners, by status
create function public.sweep_jobs(p_upload_seconds integer, p_quiet_seconds integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_expired integer;
    v_lost integer;
    v_quiet integer;
    v_failed jsonb;
    v_busy uuid[];
begin
    with batch as (
        select j.job_id from assay.jobs j join assay.uploads u using (upload_id)
        where j.status = 'awaiting_upload' and j.created_at < now() - make_interval(secs => p_upload_seconds)
            and u.last_used < now() - make_interval(secs => p_upload_seconds)
        limit 200 for update of u, j skip locked
    )
    update assay.jobs j set status = 'expired', finished_at = now() from batch where j.job_id = batch.job_id;
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
    with batch as (
        select j.job_id from assay.jobs j
        where j.status = 'queued' and j.run_after < now() - make_interval(secs => p_quiet_seconds)
            and j.owner <> all (v_busy)
        limit 200 for update skip locked
    )
    update assay.jobs j set run_after = now() from batch where j.job_id = batch.job_id;
    get diagnostics v_quiet = row_count;

    -- Each count reads only an index of unfinished jobs. A cancelled needs_type job ends immediately, so the condition
    -- of jobs_one_under_way excludes none.
    return jsonb_build_object('expired', v_expired, 'lost', v_lost, 'failed', v_failed, 'hints', v_lost + v_quiet,
        'full', greatest(v_expired, v_lost, v_quiet) = 200,
        'waiting', jsonb_build_object(
            'awaiting_upload', (select count(*) from assay.jobs where status = 'awaiting_upload'),
            'queued', (select count(*) from assay.jobs where status = 'queued'),
            'running', (select count(*) from assay.jobs where status = 'running'),
            'needs_type', (select count(*) from assay.jobs where status = 'needs_type' and not cancel_requested)));
end $$;

revoke execute on all functions in schema assay from public;
revoke execute on function public.object_created, public.claim_job, public.report_progress, public.await_type,
    public.finish_job, public.fail_job, public.sweep_jobs from public, anon, authenticated, service_role;
grant execute on function public.object_created, public.claim_job, public.report_progress, public.await_type,
    public.finish_job, public.fail_job, public.sweep_jobs to service_role;
