-- Deletions: objects to delete from the object store. A key is written in the transaction that removes its row, so rows
-- are removed before their objects. Only the functions below read this table.

create table assay.deletions (
    object_key text primary key,  -- or a prefix, which ends in a slash
    due_at     timestamptz not null,
    taken_at   timestamptz,       -- when a worker started to delete it; null: not started
    reusable   boolean not null default false,  -- an upload that a registration before due_at can still use
    again      boolean not null default false   -- an object was stored after taken_at: delete again
);
create index deletions_by_due on assay.deletions (due_at);
alter table assay.deletions enable row level security;

-- Schedule a deletion. A deletion that has started is not changed, because it may still delete new objects.
create function assay.delete_later(p_key text, p_due_at timestamptz, p_reusable boolean) returns void
language plpgsql set search_path = '' as $$
begin
    insert into assay.deletions as d (object_key, due_at, reusable) values (p_key, p_due_at, p_reusable)
    on conflict (object_key) do update set
        due_at = case when d.taken_at is null then excluded.due_at else d.due_at end,
        reusable = d.taken_at is null and excluded.reusable,
        again = d.taken_at is not null;
end $$;

-- Remove a job with everything that belongs to it, and its upload unless another job uses it. The worker of a running
-- job is told at its next write; outputs that it stores until then are deleted later.
create function assay.remove_job(p_job_id uuid) returns void
language plpgsql set search_path = '' as $$
declare
    v_upload assay.uploads;
    v_job assay.jobs;
begin
    -- Lock order, as in register_upload: the upload before the job.
    select u.* into v_upload from assay.uploads u join assay.jobs j using (upload_id) where j.job_id = p_job_id
    for update of u;
    delete from assay.jobs where job_id = p_job_id returning * into v_job;
    if v_job.job_id is null then
        return;
    end if;
    if v_job.attempt > 0 then
        perform assay.delete_later('outputs/' || v_job.owner || '/' || v_job.job_id || '/',
            now() + case when v_job.status = 'running' then interval '20 minutes' else interval '0' end, false);
    end if;
    if not exists (select from assay.jobs where upload_id = v_upload.upload_id) then
        delete from assay.uploads where upload_id = v_upload.upload_id;
        perform assay.delete_later('uploads/' || v_upload.owner || '/' || v_upload.sha256, now(),
            v_upload.stored_at is not null);
    end if;
end $$;

-- Delete one of the caller's jobs, whatever its status. Raises a problem (404).
create function public.delete_job(p_job_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
begin
    if not exists (select from assay.jobs where job_id = p_job_id and owner = v_owner) then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
    perform assay.remove_job(p_job_id);
    return jsonb_build_object('deleted', true);
end $$;

-- Remove at most 500 expired jobs, then return at most 1,000 keys and prefixes to delete: {"removed", "keys"}. A key
-- that is not reported to objects_deleted is returned again after p_quiet_seconds. That must be longer than a worker
-- can run; otherwise a worker could delete a newer upload. Concurrent calls never get the same key.
create function public.clean_up(p_quiet_seconds integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_removed integer;
    v_keys jsonb;
begin
    -- Lock order: owners are locked in the order of their ids. The plan may have changed while the job ended.
    with expired as (
        select j.job_id, j.owner, j.finished_at from assay.jobs j join assay.uploads u using (upload_id)
        where j.expires_at < now() order by j.expires_at limit 500 for update of u, j skip locked
    ), looked_at as (
        select e.job_id, e.finished_at + make_interval(days => (assay.plan_of(e.owner)).retention_days) as expires_at
        from (select * from expired order by owner, job_id) e
    ), kept as (
        update assay.jobs j set expires_at = l.expires_at from looked_at l
        where j.job_id = l.job_id and l.expires_at > now()
    ), removed as (
        select assay.remove_job(l.job_id) from looked_at l where l.expires_at <= now()
    )
    select count(*) into v_removed from removed;

    with due as (
        select d.object_key from assay.deletions d
        where d.due_at <= now() and (d.taken_at is null or d.taken_at < now() - make_interval(secs => p_quiet_seconds))
        order by d.due_at limit 1000 for update skip locked
    ), taken as (
        update assay.deletions d set taken_at = now(), again = false from due where d.object_key = due.object_key
        returning d.object_key
    )
    select coalesce(jsonb_agg(t.object_key order by t.object_key), '[]') into v_keys from taken t;
    return jsonb_build_object('removed', v_removed, 'keys', v_keys);
end $$;

-- Report that the objects under these keys and prefixes (an array) are deleted: {"forgotten"}. A key under which an
-- object was stored meanwhile is kept and returned again.
create function public.objects_deleted(p_keys jsonb) returns jsonb
language sql security definer set search_path = '' as $$
    with again as (
        update assay.deletions d set taken_at = null, again = false
        from jsonb_array_elements_text(p_keys) k (object_key)
        where d.object_key = k.object_key and d.again
    ), gone as (
        delete from assay.deletions d using jsonb_array_elements_text(p_keys) k (object_key)
        where d.object_key = k.object_key and d.taken_at is not null and not d.again returning 1
    )
    select jsonb_build_object('forgotten', (select count(*) from gone))
$$;

revoke execute on all functions in schema assay from public;
revoke execute on function public.delete_job, public.clean_up, public.objects_deleted
    from public, anon, authenticated, service_role;
grant execute on function public.delete_job to authenticated;
grant execute on function public.clean_up, public.objects_deleted to service_role;
