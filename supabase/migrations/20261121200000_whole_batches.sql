-- A subquery that locks and limits its rows may be read anew for every row it is joined with, and then finds others than before: a batch was
-- larger than its limit, if Postgres chose that plan. What stands in `with` is read once.

set lock_timeout = '5s';
set statement_timeout = '30s';

-- Remove what nobody looks at any more, at most 1,000 of each: deliveries that ended 30 days ago, and deleted webhooks with theirs.
create or replace function assay.forget_deliveries() returns void
language plpgsql set search_path = '' as $$
begin
    with batch as (
        select d.delivery_id from assay.deliveries d where d.ended_at < now() - interval '30 days' limit 1000 for update skip locked
    )
    delete from assay.deliveries d using batch where d.delivery_id = batch.delivery_id;
    with batch as (
        select d.delivery_id from assay.webhooks w join assay.deliveries d using (webhook_id)
        where w.deleted_at is not null limit 1000 for update of d skip locked
    )
    delete from assay.deliveries d using batch where d.delivery_id = batch.delivery_id;
    delete from assay.webhooks w
    where w.deleted_at is not null and not exists (select from assay.deliveries d where d.webhook_id = w.webhook_id);
end $$;

-- Delete what the caller has, whatever the status of the jobs: at most p_limit jobs and p_limit deliveries, and no job that begins after two
-- seconds. Answers {"left"}: how much is still to be deleted by further calls, counted up to 10,000 of each kind. What stays is the row of
-- assay.owners, plan and hourly limit: a deletion makes no new owner.
create or replace function public.delete_account(p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_start timestamptz := clock_timestamp();
    v_jobs uuid[];
    v_job_id uuid;
begin
    -- The uploads and the jobs are locked before remove_job changes the owner's row: the order of register_upload.
    select array_agg(locked.job_id) into v_jobs from (
        select j.job_id from assay.jobs j join assay.uploads u using (upload_id)
        where j.owner = v_owner order by j.created_at, j.job_id limit p_limit for update of u, j) locked;
    foreach v_job_id in array coalesce(v_jobs, '{}') loop
        perform assay.remove_job(v_job_id);
        exit when clock_timestamp() > v_start + interval '2 seconds';
    end loop;

    with batch as (
        select d.delivery_id from assay.deliveries d where d.owner = v_owner limit p_limit for update
    )
    delete from assay.deliveries d using batch where d.delivery_id = batch.delivery_id;
    delete from assay.webhooks w
    where w.owner = v_owner and not exists (select from assay.deliveries d where d.webhook_id = w.webhook_id);

    return jsonb_build_object('left',
        (select count(*) from (select from assay.jobs where owner = v_owner limit 10000) counted)
        + (select count(*) from (select from assay.deliveries where owner = v_owner limit 10000) counted)
        + (select count(*) from assay.webhooks where owner = v_owner));
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
        where j.status = 'queued' and j.run_after < now() - make_interval(secs => p_quiet_seconds) and j.owner <> all (v_busy)
        limit 200 for update skip locked
    )
    update assay.jobs j set run_after = now() from batch where j.job_id = batch.job_id;
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
