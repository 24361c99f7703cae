-- Two races: the event of bytes at the very moment of their registration, when neither could see the other's row, and a change of plan that
-- locked an owner's jobs in another order than a deletion does.

set lock_timeout = '5s';
set statement_timeout = '30s';

-- Held until the transaction ends, and taken before any row: the event of bytes and their registration come one after the other, so that either
-- sees what the other wrote. Rows alone do not do it, as neither row may be there yet.
create or replace function assay.lock_bytes(p_key text) returns void
language plpgsql set search_path = '' as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('assay.uploads ' || p_key, 0));
end $$;

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

    perform assay.lock_bytes('uploads/' || v_owner || '/' || p_sha256);
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
    perform assay.lock_bytes(p_key);
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

-- Give an owner a plan. Its limits hold at once; of the hour's uploads as many count as used as were. What has ended stays as long as the
-- new plan says, and for another week at least.
create or replace function public.set_plan(p_owner uuid, p_plan text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_old assay.plans := assay.plan_of(p_owner);
    v_new assay.plans;
begin
    select * into v_new from assay.plans where plan = p_plan;
    if not found then
        perform assay.raise_problem(422, 'unknown_plan', 'There is no such plan.',
            'Choose one of: ' || (select string_agg(plan, ', ' order by running_jobs) from assay.plans) || '.');
    end if;
    -- The jobs before the owner, the oldest first: the order of all that changes both. A job that ends meanwhile still gets the old
    -- plan's time; clean_up looks again before it removes one.
    perform from assay.jobs where owner = p_owner and finished_at is not null order by created_at, job_id for update;
    update assay.jobs set expires_at = greatest(
        finished_at + make_interval(days => v_new.retention_days), now() + interval '7 days')
    where owner = p_owner and finished_at is not null;
    insert into assay.owners as o (owner, plan) values (p_owner, p_plan)
    on conflict (owner) do update set plan = excluded.plan,
        uploads_until = now() + least(interval '1 hour',
            (greatest(o.uploads_until, now()) - now()) * v_old.uploads_per_hour / v_new.uploads_per_hour);
    return jsonb_build_object('owner', p_owner, 'plan', p_plan);
end $$;

revoke execute on function assay.lock_bytes from public;
