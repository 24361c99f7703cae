-- What a job costs at list prices, estimated whenever an attempt at it has ended, and how many jobs wait.

set lock_timeout = '5s';
set statement_timeout = '30s';

-- The settings of the estimate: to price another region or a discount, change usd and as_of here; jobs that have ended keep theirs.
create table assay.list_prices (
    item   text primary key,
    usd    numeric not null check (usd >= 0 and usd < 'infinity'),  -- of one unit; NaN counts as more than infinity
    unit   text not null,
    source text not null,
    as_of  date not null
);
alter table assay.list_prices enable row level security;
insert into assay.list_prices (item, usd, unit, source, as_of) values
    ('lambda_gb_second', 0.0000133334, 'GB-second', 'https://aws.amazon.com/lambda/pricing/ (us-east-1, arm64, first tier)', '2026-11-21'),
    ('lambda_request', 0.0000002, 'request', 'https://aws.amazon.com/lambda/pricing/ (us-east-1, 0.20 a million)', '2026-11-21'),
    ('sqs_request', 0.0000004, 'request', 'https://aws.amazon.com/sqs/pricing/ (us-east-1, standard queue, 0.40 a million)', '2026-11-21'),
    ('s3_put', 0.000005, 'request', 'https://aws.amazon.com/s3/pricing/ (us-east-1, Standard, 0.005 a thousand)', '2026-11-21'),
    ('s3_get', 0.0000004, 'request', 'https://aws.amazon.com/s3/pricing/ (us-east-1, Standard, 0.0004 a thousand)', '2026-11-21'),
    ('s3_gb_month', 0.023, 'GB-month', 'https://aws.amazon.com/s3/pricing/ (us-east-1, Standard, first 50 TB)', '2026-11-21');

-- jobs before attempts: the order in which the functions lock them, some of which may be running now.
alter table assay.jobs add column cost jsonb;
alter table assay.attempts add column memory_mb integer check (memory_mb > 0);  -- of the worker; null where it did not say

-- The estimate, for all attempts that have ended: {"currency", "total", "compute", "requests", "storage_month", "gb_seconds",
-- "request_count", "stored_bytes", "prices_as_of"}, amounts in USD; null where no attempt knows its memory or a price is missing.
--   compute        each attempt's time x memory, from its claim to its end (a lost one at most 15 minutes, Lambda's limit; never
--                  less than none, even if the clock was set back)
--   requests       Lambda: one to register and one an attempt; SQS: three an attempt (send, receive, delete);
--                  S3: one PUT for the upload and one an output, one GET an attempt
--   storage_month  the upload and the outputs for one month, in S3 Standard
-- Not counted: API Gateway, the other functions' own time, a worker's time before its claim, /tmp beyond 512 MB, data transfer, logs,
-- Supabase. A GB is 2^30 bytes, as on AWS's bills. prices_as_of is the date of the oldest price.
create function assay.job_cost(p_job assay.jobs) returns jsonb
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

-- Every way out of `running` ends the attempt, and inserts the outputs, before it changes the job.
create function assay.set_cost() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.cost := assay.job_cost(new);
    return new;
end $$;
create trigger set_cost before update of status on assay.jobs
    for each row when (old.status = 'running' and new.status <> 'running')
    execute function assay.set_cost();

-- A job as the API shows it.
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
        'started_at', p_job.started_at, 'finished_at', p_job.finished_at, 'cost', p_job.cost)
    from assay.uploads u where u.upload_id = p_job.upload_id
$$;

-- Start an attempt: {"claimed": true, "attempt", "object_key", "owner", "job"} and a lease of p_lease_seconds; or
-- {"claimed": false, "reason", "retry_after_seconds"?}: `leased` (another attempt is alive), `backing_off` (a retry is
-- not due yet), `ended` (nothing is left to do) or `unknown_job`. A running job whose lease ran out is taken over.
-- p_worker names one invocation of one worker; asked again by it, the claim is the same.
-- The worker of an earlier version calls it without p_memory_mb.
-- squawk-ignore ban-drop-function
drop function public.claim_job(uuid, text, integer);
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

-- The answer to a write of an attempt that no longer runs: the one it got already, if it is repeated, or `stale_attempt`.
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

-- Detection is not sure enough: the job waits for a person to choose.
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
    return jsonb_build_object('accepted', true, 'status', 'done', 'cost', v_job.cost);
end $$;

-- The attempt failed with p_error {code, detail, suggestion}. Without p_retry_after_seconds the failure is final;
-- with it the job is queued again after that delay, as long as attempts are left.
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

-- Once a minute: what would otherwise wait for ever. Uploads that were announced more than p_upload_seconds ago and never
-- came expire; jobs whose worker was lost end or are queued again; `keys` are the objects of queued jobs that nobody
-- took for p_quiet_seconds, whose message may be lost: they are to be told of again, and are not named again before
-- another p_quiet_seconds have passed. At most 1,000 of each in one call. `failed` are the costs of the lost ones that had no
-- attempt left. `waiting` counts what is left to do, of all owners; each
-- count reads an index of unfinished jobs alone (cancelling a job that waits for its type ends it at once, so that
-- the condition of jobs_one_under_way leaves none out).
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

revoke execute on function assay.job_cost, assay.set_cost from public;
revoke execute on function public.claim_job from public, anon, authenticated, service_role;
grant execute on function public.claim_job to service_role;
