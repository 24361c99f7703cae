-- Undoes 20261121200000: no row changes.

set lock_timeout = '5s';
set statement_timeout = '30s';

create or replace function assay.forget_deliveries() returns void
language plpgsql set search_path = '' as $$
begin
    delete from assay.deliveries where delivery_id in (
        select d.delivery_id from assay.deliveries d where d.ended_at < now() - interval '30 days' limit 1000 for update skip locked);
    delete from assay.deliveries where delivery_id in (
        select d.delivery_id from assay.webhooks w join assay.deliveries d using (webhook_id)
        where w.deleted_at is not null limit 1000 for update of d skip locked);
    delete from assay.webhooks w
    where w.deleted_at is not null and not exists (select from assay.deliveries d where d.webhook_id = w.webhook_id);
end $$;

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

    delete from assay.deliveries where delivery_id in (
        select d.delivery_id from assay.deliveries d where d.owner = v_owner limit p_limit for update);
    delete from assay.webhooks w
    where w.owner = v_owner and not exists (select from assay.deliveries d where d.webhook_id = w.webhook_id);

    return jsonb_build_object('left',
        (select count(*) from (select from assay.jobs where owner = v_owner limit 10000) counted)
        + (select count(*) from (select from assay.deliveries where owner = v_owner limit 10000) counted)
        + (select count(*) from assay.webhooks where owner = v_owner));
end $$;

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

delete from supabase_migrations.schema_migrations where version = '20261121200000';
