-- What functions/process does, as service_role. A claim gives an attempt number; every later write names it, and one
-- that names an older attempt changes nothing and answers {"accepted": false, "reason": "stale_attempt"}. A call that is
-- repeated because its answer was lost gets that answer again.

-- The object store holds new bytes under uploads/{owner}/{sha256}: queue the jobs that waited for them. Answers with
-- every job of that upload that is still to be done, so that a repeated event finds what an earlier one left.
-- `known` is false while no such upload is registered (or its row is not visible yet).
create function public.object_created(p_key text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_upload_id uuid;
begin
    if p_key ~ '^uploads/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{64}$' then
        select upload_id into v_upload_id from assay.uploads
        where owner = split_part(p_key, '/', 2)::uuid and sha256 = split_part(p_key, '/', 3);
    end if;
    if v_upload_id is null then
        return jsonb_build_object('known', false, 'jobs', '[]'::jsonb);
    end if;
    update assay.jobs set status = 'queued', run_after = now()
    where upload_id = v_upload_id and status = 'awaiting_upload';
    return jsonb_build_object('known', true, 'jobs', (
        select coalesce(jsonb_agg(job_id order by created_at, job_id), '[]') from assay.jobs
        where upload_id = v_upload_id and status in ('queued', 'running')));
end $$;

create function assay.claim_json(p_job assay.jobs) returns jsonb
language sql stable set search_path = '' as $$
    select jsonb_build_object('claimed', true, 'attempt', p_job.attempt, 'owner', p_job.owner,
        'object_key', 'uploads/' || u.owner || '/' || u.sha256, 'job', assay.job_json(p_job))
    from assay.uploads u where u.upload_id = p_job.upload_id
$$;

-- Start an attempt: {"claimed": true, "attempt", "object_key", "owner", "job"} and a lease of p_lease_seconds; or
-- {"claimed": false, "reason", "retry_after_seconds"?}: `leased` (another attempt is alive), `backing_off` (a retry is
-- not due yet), `ended` (nothing is left to do) or `unknown_job`. A running job whose lease ran out is taken over.
-- p_worker names one invocation of one worker; asked again by it, the claim is the same.
create function public.claim_job(p_job_id uuid, p_worker text, p_lease_seconds integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_job assay.jobs;
    v_now timestamptz;
begin
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

    update assay.jobs set status = 'running', attempt = attempt + 1,
        lease_expires_at = v_now + make_interval(secs => p_lease_seconds),
        started_at = coalesce(started_at, v_now), progress = 0, stage = 'starting'
    where job_id = p_job_id returning * into v_job;
    insert into assay.attempts (job_id, attempt, owner, worker, started_at)
    values (p_job_id, v_job.attempt, v_job.owner, p_worker, v_now);
    return assay.claim_json(v_job);
end $$;

-- The job's row, locked, if p_attempt is the attempt that runs it; otherwise a null row.
create function assay.lock_attempt(p_job_id uuid, p_attempt integer) returns assay.jobs
language sql set search_path = '' as $$
    select * from assay.jobs where job_id = p_job_id and attempt = p_attempt and status = 'running' for update
$$;

create function assay.end_attempt(p_job_id uuid, p_attempt integer, p_outcome text, p_error jsonb) returns void
language sql set search_path = '' as $$
    update assay.attempts set ended_at = now(), outcome = p_outcome, error = p_error
    where job_id = p_job_id and attempt = p_attempt
$$;

-- The answer to a write of an attempt that no longer runs: the one it got already, if it is repeated, or `stale_attempt`.
create function assay.answer_ended(p_job_id uuid, p_attempt integer, p_outcomes text[]) returns jsonb
language sql stable set search_path = '' as $$
    select coalesce(
        (select jsonb_build_object('accepted', true, 'status', j.status)
         from assay.jobs j join assay.attempts a using (job_id, attempt)
         where j.job_id = p_job_id and j.attempt = p_attempt and a.outcome = any (p_outcomes)),
        jsonb_build_object('accepted', false, 'reason', 'stale_attempt'))
$$;

create function assay.cancel_running(p_job_id uuid, p_attempt integer) returns jsonb
language plpgsql set search_path = '' as $$
begin
    perform assay.end_attempt(p_job_id, p_attempt, 'cancelled', null);
    update assay.jobs set status = 'cancelled', lease_expires_at = null, finished_at = now() where job_id = p_job_id;
    return jsonb_build_object('accepted', false, 'reason', 'cancelled', 'status', 'cancelled');
end $$;

-- The heartbeat: extends the lease, tells how far the attempt is, and learns whether the user cancelled the job.
create function public.report_progress(
    p_job_id uuid, p_attempt integer, p_lease_seconds integer, p_progress double precision, p_stage text, p_detection jsonb
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_job assay.jobs := assay.lock_attempt(p_job_id, p_attempt);
begin
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{}');
    end if;
    update assay.jobs set lease_expires_at = clock_timestamp() + make_interval(secs => p_lease_seconds),
        progress = greatest(progress, p_progress::real), stage = p_stage, detection = coalesce(p_detection, detection)
    where job_id = p_job_id;
    return jsonb_build_object('accepted', true, 'cancel_requested', v_job.cancel_requested);
end $$;

-- Detection is not sure enough: the job waits for a person to choose.
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
    where job_id = p_job_id;
    return jsonb_build_object('accepted', true, 'status', 'needs_type');
end $$;

-- Done: the outputs (an array of {name, media_type, size_bytes, sha256} in order) become visible with the status, in
-- one transaction.
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
    where job_id = p_job_id;
    return jsonb_build_object('accepted', true, 'status', 'done');
end $$;

-- The attempt failed with p_error {code, detail, suggestion}. Without p_retry_after_seconds the failure is final;
-- with it the job is queued again after that delay, as long as attempts are left.
create function public.fail_job(p_job_id uuid, p_attempt integer, p_error jsonb, p_retry_after_seconds integer)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_job assay.jobs := assay.lock_attempt(p_job_id, p_attempt);
begin
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{failed,retry}');
    elsif v_job.cancel_requested then
        return assay.cancel_running(p_job_id, p_attempt);
    elsif p_retry_after_seconds is not null and p_attempt < v_job.max_attempts then
        perform assay.end_attempt(p_job_id, p_attempt, 'retry', p_error);
        update assay.jobs set status = 'queued', lease_expires_at = null, stage = 'waiting to try again',
            run_after = clock_timestamp() + make_interval(secs => p_retry_after_seconds)
        where job_id = p_job_id;
        return jsonb_build_object('accepted', true, 'status', 'queued');
    end if;
    perform assay.end_attempt(p_job_id, p_attempt, 'failed', p_error);
    update assay.jobs set status = 'failed', error = p_error, lease_expires_at = null, finished_at = now(), stage = null
    where job_id = p_job_id;
    return jsonb_build_object('accepted', true, 'status', 'failed');
end $$;

-- Once a minute: what would otherwise wait for ever. Uploads that were announced more than p_upload_seconds ago and never
-- came expire; jobs whose worker was lost end or are queued again; `keys` are the objects of queued jobs that nobody
-- took for p_quiet_seconds, whose message may be lost: they are to be told of again, and are not named again before
-- another p_quiet_seconds have passed. At most 1,000 of each in one call.
create function public.sweep_jobs(p_upload_seconds integer, p_quiet_seconds integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_expired integer;
    v_lost integer;
    v_keys jsonb;
begin
    update assay.jobs set status = 'expired', finished_at = now()
    where job_id in (
        select j.job_id from assay.jobs j join assay.uploads u using (upload_id)
        where j.status = 'awaiting_upload' and u.last_used < now() - make_interval(secs => p_upload_seconds)
        limit 1000 for update of j skip locked);
    get diagnostics v_expired = row_count;

    -- Those that are queued again are named at once: no message of theirs is certain to come.
    with lost as (
        select j from assay.jobs j where j.status = 'running' and j.lease_expires_at < now()
        limit 1000 for update skip locked
    ), settled as (
        select assay.settle_lost(j) as j from lost
    )
    select count(*), coalesce(jsonb_agg('uploads/' || u.owner || '/' || u.sha256) filter (where (s.j).status = 'queued'), '[]')
    into v_lost, v_keys
    from settled s join assay.uploads u on u.upload_id = (s.j).upload_id;

    with quiet as (
        select j.job_id from assay.jobs j
        where j.status = 'queued' and j.run_after < now() - make_interval(secs => p_quiet_seconds)
        limit 1000 for update skip locked
    ), told as (
        update assay.jobs j set run_after = now() from quiet where j.job_id = quiet.job_id returning j.upload_id
    )
    select v_keys || coalesce(jsonb_agg('uploads/' || u.owner || '/' || u.sha256), '[]') into v_keys
    from told join assay.uploads u using (upload_id);

    return jsonb_build_object('expired', v_expired, 'lost', v_lost, 'keys', v_keys);
end $$;

revoke execute on all functions in schema assay from public;
revoke execute on function public.object_created, public.claim_job, public.report_progress, public.await_type,
    public.finish_job, public.fail_job, public.sweep_jobs from public, anon, authenticated, service_role;
grant execute on function public.object_created, public.claim_job, public.report_progress, public.await_type,
    public.finish_job, public.fail_job, public.sweep_jobs to service_role;
