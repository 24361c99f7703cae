-- Rows go first, objects after them: what is to be deleted from the object store is noted in the transaction that removes the row.

set lock_timeout = '5s';
set statement_timeout = '30s';

-- Nobody reads it but the functions below.
create table assay.deletions (
    object_key text primary key,  -- or a prefix, which ends in a slash
    due_at     timestamptz not null,
    taken_at   timestamptz,       -- when a worker set out to delete it; null: nobody has begun
    reusable   boolean not null default false,  -- an upload's bytes that are, or may be, good: they serve whoever registers them before
    again      boolean not null default false   -- more came after it was taken: it is to be deleted once more
);
create index deletions_by_due on assay.deletions (due_at);
alter table assay.deletions enable row level security;

-- A deletion that has begun goes on: nobody knows what it will still hit.
create function assay.delete_later(p_key text, p_due_at timestamptz, p_reusable boolean) returns void
language plpgsql set search_path = '' as $$
begin
    insert into assay.deletions as d (object_key, due_at, reusable) values (p_key, p_due_at, p_reusable)
    on conflict (object_key) do update set
        due_at = case when d.taken_at is null then excluded.due_at else d.due_at end,
        reusable = d.taken_at is null and excluded.reusable,
        again = d.taken_at is not null;
end $$;

-- Remove a job with all that hangs on it, and its upload if no other job is left of that. Of a job that runs, the worker learns it at
-- its next write; what it may store until then goes later.
create function assay.remove_job(p_job_id uuid) returns void
language plpgsql set search_path = '' as $$
declare
    v_upload assay.uploads;
    v_job assay.jobs;
begin
    -- The upload before the job: the order of register_upload.
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
        perform assay.delete_later('uploads/' || v_upload.owner || '/' || v_upload.sha256, now(), v_upload.stored_at is not null);
    end if;
end $$;

-- Delete a job of one's own at once, whatever its status.
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

-- Remove what has expired (at most 500 jobs), then hand out the keys and prefixes that are to be deleted now, at most 1,000:
-- {"removed", "keys"}. A key that was handed out and not reported by objects_deleted comes again after p_quiet_seconds, which must be
-- longer than a worker can live: one that still deleted then would hit what was uploaded since. Two calls at once never get the same.
create function public.clean_up(p_quiet_seconds integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_removed integer;
    v_keys jsonb;
begin
    -- In the order of the owners, as everything that locks two of them. The plan may have changed while the job ended.
    with expired as (
        select j.job_id, j.owner, j.finished_at from assay.jobs j join assay.uploads u using (upload_id)
        where j.expires_at < now() order by j.expires_at limit 500 for update of u, j skip locked
    ), looked_at as (
        select e.job_id, e.finished_at + make_interval(days => (assay.plan_of(e.owner)).retention_days) as expires_at
        from (select * from expired order by owner, job_id) e
    ), kept as (
        update assay.jobs j set expires_at = l.expires_at from looked_at l where j.job_id = l.job_id and l.expires_at > now()
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

-- The objects under these keys and prefixes (an array) are gone: {"forgotten"}. Where more came meanwhile, the key stays and comes again.
create function public.objects_deleted(p_keys jsonb) returns jsonb
language sql security definer set search_path = '' as $$
    with again as (
        update assay.deletions d set taken_at = null, again = false from jsonb_array_elements_text(p_keys) k (object_key)
        where d.object_key = k.object_key and d.again
    ), gone as (
        delete from assay.deletions d using jsonb_array_elements_text(p_keys) k (object_key)
        where d.object_key = k.object_key and d.taken_at is not null and not d.again returning 1
    )
    select jsonb_build_object('forgotten', (select count(*) from gone))
$$;

-- Find the job that already answers this upload, or make one. Two calls at once make one: the upload's row is locked
-- first, and the index jobs_one_under_way stands behind it.
-- `cached` is true when nothing more needs to be sent: the job is done, or its bytes have arrived and it is under way; or it is new, and
-- its bytes lie in the store from before: then it is `queued`, and the worker is to be told.
-- p_pipeline_versions maps each pipeline to its current version; a result of an older version is not reused.
-- A size is a claim: until the bytes are there the last one counts, and then no other.
create or replace function public.register_upload(
    p_filename text, p_size_bytes bigint, p_sha256 text, p_dataset_type text, p_parameters jsonb,
    p_on_duplicate text, p_pipeline_versions jsonb
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_upload assay.uploads;
    v_deletion assay.deletions;
    v_job assay.jobs;
begin
    if p_on_duplicate is null or p_on_duplicate not in ('reuse', 'reprocess') then
        perform assay.raise_problem(422, 'invalid_request', 'on_duplicate is neither reuse nor reprocess.',
            'Send "reuse" or "reprocess".');
    end if;

    insert into assay.uploads as u (owner, sha256, size_bytes, filename)
    values (v_owner, p_sha256, p_size_bytes, p_filename)
    on conflict (owner, sha256) do update set
        last_used = now(), times_used = u.times_used + 1, filename = excluded.filename,
        size_bytes = case when u.stored_at is null then excluded.size_bytes else u.size_bytes end
    returning * into v_upload;

    if v_upload.stored_at is null then
        select * into v_deletion from assay.deletions
        where object_key = 'uploads/' || v_owner || '/' || p_sha256 for update;
        if v_deletion.taken_at is not null then
            -- Bytes that were sent now could be deleted a moment later.
            perform assay.raise_problem(503, 'being_deleted 5', 'An earlier upload of these bytes is being deleted.',
                'Try again in 5 seconds.');
        elsif v_deletion.object_key is not null then
            delete from assay.deletions where object_key = v_deletion.object_key;
            if v_deletion.reusable then
                update assay.uploads set stored_at = now() where upload_id = v_upload.upload_id returning * into v_upload;
                update assay.jobs set status = 'queued', run_after = now()
                where upload_id = v_upload.upload_id and status = 'awaiting_upload';
            end if;
        end if;
    end if;

    -- A job whose last worker was lost answers nothing any more; one that is locked is just being written to.
    perform assay.settle_lost(lost.j) from (
        select j from assay.jobs j
        where j.upload_id = v_upload.upload_id and j.status = 'running' and j.lease_expires_at < now()
            and (j.cancel_requested or j.attempt >= j.max_attempts) for update skip locked) lost;

    select * into v_job from assay.jobs j
    where j.upload_id = v_upload.upload_id and not j.cancel_requested
        and j.requested_dataset_type is not distinct from p_dataset_type
        and j.parameters = p_parameters
        and (j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
            or (p_on_duplicate = 'reuse' and j.status = 'done'
                and p_pipeline_versions ->> j.pipeline = j.pipeline_version))
    order by (j.status = 'done') desc, j.created_at desc
    limit 1;

    if not found then
        insert into assay.jobs (owner, upload_id, filename, size_bytes, requested_dataset_type, parameters, status)
        values (v_owner, v_upload.upload_id, p_filename, v_upload.size_bytes, p_dataset_type, p_parameters,
            case when v_upload.stored_at is null then 'awaiting_upload' else 'queued' end)
        returning * into v_job;
        perform assay.admit(v_owner);
    elsif v_job.status = 'awaiting_upload' and v_job.size_bytes <> p_size_bytes then
        update assay.jobs set size_bytes = p_size_bytes where job_id = v_job.job_id returning * into v_job;
    end if;

    return jsonb_build_object(
        'cached', v_job.status <> 'awaiting_upload',
        'job', assay.job_json(v_job),
        'upload', jsonb_build_object(
            'sha256', v_upload.sha256, 'size_bytes', v_upload.size_bytes, 'filename', v_upload.filename,
            'first_seen', v_upload.first_seen, 'last_used', v_upload.last_used, 'times_used', v_upload.times_used,
            'jobs', (
                select coalesce(jsonb_agg(assay.job_json(latest) order by latest.created_at desc), '[]')
                from (select j.* from assay.jobs j where j.upload_id = v_upload.upload_id
                      order by j.created_at desc limit 10) latest)));
end $$;

-- The object store holds new bytes under uploads/{owner}/{sha256}: queue the jobs that waited for them. Answers with
-- every job of that upload that is still to be done, so that a repeated event finds what an earlier one left; `queued` counts those
-- that no worker has.
-- `known` is false while no such upload is registered (or its row is not visible yet). If the key is one of ours, the object is then
-- noted: whoever registers these bytes within a day finds them there, afterwards they are deleted; else `noted` is false.
-- Known or not, the key leaves the outbox; it has a row there only where the bytes lie in Supabase Storage.
create or replace function public.object_created(p_key text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_upload_id uuid;
begin
    delete from assay.outbox where object_key = p_key;
    if p_key !~ '^uploads/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{64}$' then
        return jsonb_build_object('known', false, 'noted', false, 'jobs', '[]'::jsonb, 'queued', 0);
    end if;
    select upload_id into v_upload_id from assay.uploads
    where owner = split_part(p_key, '/', 2)::uuid and sha256 = split_part(p_key, '/', 3) for no key update;
    if v_upload_id is null then
        perform assay.delete_later(p_key, now() + interval '1 day', true);
        return jsonb_build_object('known', false, 'noted', true, 'jobs', '[]'::jsonb, 'queued', 0);
    end if;
    delete from assay.deletions where object_key = p_key and taken_at is null;
    if exists (select from assay.deletions where object_key = p_key) then
        -- Sent by an old link: the deletion that has begun may hit these bytes too.
        perform assay.delete_later(p_key, now(), false);
    else
        update assay.uploads set stored_at = now() where upload_id = v_upload_id;
        update assay.jobs set status = 'queued', run_after = now()
        where upload_id = v_upload_id and status = 'awaiting_upload';
    end if;
    return (
        select jsonb_build_object('known', true, 'noted', false, 'jobs', coalesce(jsonb_agg(job_id order by created_at, job_id), '[]'),
            'queued', count(*) filter (where status = 'queued'))
        from assay.jobs where upload_id = v_upload_id and status in ('queued', 'running'));
end $$;

revoke execute on function assay.delete_later, assay.remove_job from public;
revoke execute on function public.delete_job, public.clean_up, public.objects_deleted
    from public, anon, authenticated, service_role;
grant execute on function public.delete_job to authenticated;
grant execute on function public.clean_up, public.objects_deleted to service_role;
