-- Undoes 20261121170200: whose turn it is, and which attempts came before a retry by hand, is forgotten; the object store keeps what an attempt
-- that did not end as done has stored.

set lock_timeout = '5s';
set statement_timeout = '30s';

drop trigger set_turn_of_new on assay.jobs;
drop trigger set_turn on assay.jobs;
drop function public.retry_job, public.reprocess_job;
drop function assay.lock_own_job, assay.require_stored, assay.set_turn;

create or replace function assay.guard_status() returns trigger
language plpgsql set search_path = '' as $$
begin
    if (old.status, new.status) not in (
        ('awaiting_upload', 'queued'), ('awaiting_upload', 'cancelled'), ('awaiting_upload', 'expired'),
        ('queued', 'running'), ('queued', 'cancelled'),
        ('running', 'queued'), ('running', 'needs_type'),
        ('running', 'done'), ('running', 'failed'), ('running', 'cancelled'),
        ('needs_type', 'queued'), ('needs_type', 'cancelled')
    ) then
        raise exception 'a job cannot go from % to %', old.status, new.status using errcode = 'check_violation';
    end if;
    return new;
end $$;

drop function public.claim_job(text, integer, integer, uuid);
create function public.claim_job(p_job_id uuid, p_worker text, p_lease_seconds integer, p_memory_mb integer default null)
returns jsonb
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
    insert into assay.attempts (job_id, attempt, owner, worker, started_at, memory_mb)
    values (p_job_id, v_job.attempt, v_job.owner, p_worker, v_now, p_memory_mb);
    return assay.claim_json(v_job);
end $$;
revoke execute on function public.claim_job from public, anon, authenticated, service_role;
grant execute on function public.claim_job to service_role;

drop function public.report_progress(uuid, integer, integer, double precision, text, jsonb, integer);
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
revoke execute on function public.report_progress from public, anon, authenticated, service_role;
grant execute on function public.report_progress to service_role;

create or replace function assay.lock_attempt(p_job_id uuid, p_attempt integer) returns assay.jobs
language sql set search_path = '' as $$
    select * from assay.jobs where job_id = p_job_id and attempt = p_attempt and status = 'running' for update
$$;

create or replace function assay.claim_json(p_job assay.jobs) returns jsonb
language sql stable set search_path = '' as $$
    select jsonb_build_object('claimed', true, 'attempt', p_job.attempt, 'owner', p_job.owner,
        'object_key', 'uploads/' || u.owner || '/' || u.sha256, 'job', assay.job_json(p_job))
    from assay.uploads u where u.upload_id = p_job.upload_id
$$;

create or replace function assay.end_attempt(p_job_id uuid, p_attempt integer, p_outcome text, p_error jsonb) returns void
language sql set search_path = '' as $$
    update assay.attempts set ended_at = now(), outcome = p_outcome, error = p_error
    where job_id = p_job_id and attempt = p_attempt
$$;

create or replace function assay.settle_lost(p_job assay.jobs) returns assay.jobs
language plpgsql set search_path = '' as $$
declare
    v_job assay.jobs;
    v_now timestamptz := clock_timestamp();
    v_status text := case
        when p_job.cancel_requested then 'cancelled' when p_job.attempt >= p_job.max_attempts then 'failed' else 'queued' end;
begin
    update assay.attempts set ended_at = v_now, outcome = 'lost'
    where job_id = p_job.job_id and attempt = p_job.attempt and outcome is null;
    update assay.jobs set status = v_status, lease_expires_at = null, run_after = v_now,
        stage = case when v_status = 'queued' then 'waiting for a worker' end,
        finished_at = case when v_status <> 'queued' then v_now end,
        error = case when v_status = 'failed' then jsonb_build_object(
            'code', 'attempts_exhausted',
            'detail', 'The job was tried ' || p_job.attempt || ' times and its worker was lost each time.',
            'suggestion', 'Upload the file again with on_duplicate "reprocess"; if it is very large, split it.') end
    where job_id = p_job.job_id returning * into v_job;
    return v_job;
end $$;

create or replace function assay.answer_ended(p_job_id uuid, p_attempt integer, p_outcomes text[]) returns jsonb
language sql stable set search_path = '' as $$
    select coalesce(
        (select jsonb_build_object('accepted', true, 'status', j.status, 'cost', j.cost)
         from assay.jobs j join assay.attempts a using (job_id, attempt)
         where j.job_id = p_job_id and j.attempt = p_attempt and a.outcome = any (p_outcomes)),
        jsonb_build_object('accepted', false, 'reason', 'stale_attempt'))
$$;

create or replace function assay.cancel_running(p_job_id uuid, p_attempt integer) returns jsonb
language plpgsql set search_path = '' as $$
declare
    v_cost jsonb;
begin
    perform assay.end_attempt(p_job_id, p_attempt, 'cancelled', null);
    update assay.jobs set status = 'cancelled', lease_expires_at = null, finished_at = now()
    where job_id = p_job_id returning cost into v_cost;
    return jsonb_build_object('accepted', false, 'reason', 'cancelled', 'status', 'cancelled', 'cost', v_cost);
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
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', true, 'status', 'needs_type', 'cost', v_job.cost);
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
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', true, 'status', 'done', 'cost', v_job.cost);
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
        where job_id = p_job_id returning * into v_job;
        return jsonb_build_object('accepted', true, 'status', 'queued', 'cost', v_job.cost);
    end if;
    perform assay.end_attempt(p_job_id, p_attempt, 'failed', p_error);
    update assay.jobs set status = 'failed', error = p_error, lease_expires_at = null, finished_at = now(), stage = null
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', true, 'status', 'failed', 'cost', v_job.cost);
end $$;

create or replace function public.sweep_jobs(p_upload_seconds integer, p_quiet_seconds integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_expired integer;
    v_lost integer;
    v_keys jsonb;
    v_failed jsonb;
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
    select count(*), coalesce(jsonb_agg('uploads/' || u.owner || '/' || u.sha256) filter (where (s.j).status = 'queued'), '[]'),
        coalesce(jsonb_agg((s.j).cost) filter (where (s.j).status = 'failed'), '[]')
    into v_lost, v_keys, v_failed
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

    return jsonb_build_object('expired', v_expired, 'lost', v_lost, 'failed', v_failed, 'keys', v_keys, 'waiting', jsonb_build_object(
        'awaiting_upload', (select count(*) from assay.jobs where status = 'awaiting_upload'),
        'queued', (select count(*) from assay.jobs where status = 'queued'),
        'running', (select count(*) from assay.jobs where status = 'running'),
        'needs_type', (select count(*) from assay.jobs where status = 'needs_type' and not cancel_requested)));
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
            'outcome', a.outcome, 'error', a.error) order by a.attempt), '[]')
        from assay.attempts a where a.job_id = p_job_id));
end $$;

create or replace function assay.job_cost(p_job assay.jobs) returns jsonb
language sql stable set search_path = '' as $$
    with tried as (
        select count(*) as attempts,
            sum(greatest(least(extract(epoch from a.ended_at - a.started_at), 900), 0) * a.memory_mb / 1024) as gb_seconds
        from assay.attempts a where a.job_id = p_job.job_id and a.ended_at is not null
    ), made as (
        select count(*) as outputs, p_job.size_bytes + coalesce(sum(o.size_bytes), 0) as stored_bytes
        from assay.outputs o where o.job_id = p_job.job_id
    ), counted as (
        select line.part, line.item, line.quantity
        from tried, made, lateral (values
            ('compute', 'lambda_gb_second', tried.gb_seconds),
            ('requests', 'lambda_request', 1 + tried.attempts),
            ('requests', 'sqs_request', 3 * tried.attempts),
            ('requests', 's3_put', 1 + made.outputs),
            ('requests', 's3_get', tried.attempts),
            ('storage_month', 's3_gb_month', made.stored_bytes / 1073741824)) as line (part, item, quantity)
    ), priced as (
        select round(sum(c.quantity * p.usd) filter (where c.part = 'compute'), 10) as compute,
            round(sum(c.quantity * p.usd) filter (where c.part = 'requests'), 10) as requests,
            round(sum(c.quantity * p.usd) filter (where c.part = 'storage_month'), 10) as storage_month,
            sum(c.quantity) filter (where c.part = 'requests') as request_count,
            min(p.as_of) as prices_as_of
        from counted c left join assay.list_prices p using (item)
        having count(c.quantity * p.usd) = count(*)
    )
    select jsonb_build_object('currency', 'USD', 'total', priced.compute + priced.requests + priced.storage_month,
        'compute', priced.compute, 'requests', priced.requests, 'storage_month', priced.storage_month,
        'gb_seconds', round(tried.gb_seconds, 6), 'request_count', priced.request_count,
        'stored_bytes', made.stored_bytes, 'prices_as_of', priced.prices_as_of)
    from priced, tried, made
$$;

drop function assay.start_next, assay.start_attempt, assay.busy_owners, assay.running_jobs, assay.has_queued, assay.delete_outputs_of;

-- One transaction, in which CONCURRENTLY is not possible.
drop index assay.jobs_by_turn, assay.jobs_by_owner_and_turn, assay.jobs_running, assay.jobs_awaiting, assay.attempts_by_live_worker;
-- squawk-ignore require-concurrent-index-creation
create index jobs_to_sweep on assay.jobs (status, lease_expires_at, run_after)
    where status in ('awaiting_upload', 'queued', 'running');
alter table assay.jobs drop column turn, drop column attempts_before;

delete from supabase_migrations.schema_migrations where version = '20261121170200';
