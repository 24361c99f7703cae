-- Undoes 20261121130100: the costs and the memory of attempts are forgotten, and so are changed prices.

set lock_timeout = '5s';
set statement_timeout = '30s';

-- jobs before attempts: the order in which the functions lock them.
drop trigger set_cost on assay.jobs;
drop function assay.set_cost;
drop function assay.job_cost;

create or replace function assay.job_json(p_job assay.jobs) returns jsonb
language sql stable set search_path = '' as $$
    select jsonb_build_object(
        'job_id', p_job.job_id, 'status', p_job.status, 'filename', p_job.filename,
        'sha256', u.sha256, 'size_bytes', p_job.size_bytes,
        'requested_dataset_type', p_job.requested_dataset_type, 'dataset_type', p_job.dataset_type,
        'pipeline', p_job.pipeline, 'pipeline_version', p_job.pipeline_version, 'parameters', p_job.parameters,
        'progress', round(p_job.progress::numeric, 4), 'stage', p_job.stage, 'detection', p_job.detection,
        'error', p_job.error, 'summary', p_job.summary, 'manifest_sha256', p_job.manifest_sha256,
        'cancel_requested', p_job.cancel_requested, 'created_at', p_job.created_at,
        'started_at', p_job.started_at, 'finished_at', p_job.finished_at)
    from assay.uploads u where u.upload_id = p_job.upload_id
$$;

drop function public.claim_job(uuid, text, integer, integer);
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
revoke execute on function public.claim_job from public, anon, authenticated, service_role;
grant execute on function public.claim_job to service_role;

create or replace function assay.answer_ended(p_job_id uuid, p_attempt integer, p_outcomes text[]) returns jsonb
language sql stable set search_path = '' as $$
    select coalesce(
        (select jsonb_build_object('accepted', true, 'status', j.status)
         from assay.jobs j join assay.attempts a using (job_id, attempt)
         where j.job_id = p_job_id and j.attempt = p_attempt and a.outcome = any (p_outcomes)),
        jsonb_build_object('accepted', false, 'reason', 'stale_attempt'))
$$;

create or replace function assay.cancel_running(p_job_id uuid, p_attempt integer) returns jsonb
language plpgsql set search_path = '' as $$
begin
    perform assay.end_attempt(p_job_id, p_attempt, 'cancelled', null);
    update assay.jobs set status = 'cancelled', lease_expires_at = null, finished_at = now() where job_id = p_job_id;
    return jsonb_build_object('accepted', false, 'reason', 'cancelled', 'status', 'cancelled');
end $$;

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
    where job_id = p_job_id;
    return jsonb_build_object('accepted', true, 'status', 'needs_type');
end $$;

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
    where job_id = p_job_id;
    return jsonb_build_object('accepted', true, 'status', 'done');
end $$;

create or replace function public.fail_job(p_job_id uuid, p_attempt integer, p_error jsonb, p_retry_after_seconds integer)
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

create or replace function public.sweep_jobs(p_upload_seconds integer, p_quiet_seconds integer) returns jsonb
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

alter table assay.jobs drop column cost;
alter table assay.attempts drop column memory_mb;
drop table assay.list_prices;

delete from supabase_migrations.schema_migrations where version = '20261121130100';
