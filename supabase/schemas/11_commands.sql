-- Commands: the changes that signed-in users make to uploads and jobs. SECURITY DEFINER, because users have no write
-- access to the tables. The owner is always the token's subject, never an argument.

-- Return an existing job for this upload, or create one. Concurrent calls create one job: the upload is locked first,
-- and the index jobs_one_under_way enforces it.
-- `cached` is true if nothing needs to be sent: the job is done, or its file is stored. A new job whose file is stored
-- is `queued`, and the caller sends a hint to the queue. p_pipeline_versions maps each pipeline to its current version;
-- results of older versions are not reused. A declared size is unverified until a worker has checked it. A different
-- size for the same SHA-256 is refused (409 size_mismatch) once the first was verified, and while a job waits for a
-- file of the first size. Otherwise the last declared size is used.
create function public.register_upload(
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
        perform assay.raise_problem(422, 'invalid_request', 'on_duplicate must be reuse or reprocess.',
            'Send "reuse" or "reprocess".');
    end if;

    perform assay.lock_bytes('uploads/' || v_owner || '/' || p_sha256);
    insert into assay.uploads as u (owner, sha256, size_bytes, filename)
    values (v_owner, p_sha256, p_size_bytes, p_filename)
    on conflict (owner, sha256) do update set
        last_used = now(), times_used = u.times_used + 1, filename = excluded.filename
    returning * into v_upload;
    if v_upload.size_bytes <> p_size_bytes then
        v_upload := assay.correct_size(v_upload, p_size_bytes);
    end if;

    if v_upload.stored_at is null then
        select * into v_deletion from assay.deletions
        where object_key = 'uploads/' || v_owner || '/' || p_sha256 for update;
        if v_deletion.taken_at is not null then
            -- A file sent now could be deleted a moment later.
            perform assay.raise_problem(503, 'being_deleted 5', 'An earlier upload of this file is being deleted.',
                'Try again in 5 seconds.');
        elsif v_deletion.object_key is not null then
            delete from assay.deletions where object_key = v_deletion.object_key;
            if v_deletion.reusable then
                update assay.uploads set stored_at = now() where upload_id = v_upload.upload_id
                returning * into v_upload;
                update assay.jobs set status = 'queued', run_after = now()
                where upload_id = v_upload.upload_id and status = 'awaiting_upload';
            end if;
        end if;
    end if;

    -- Settle jobs whose last worker was lost, so that they are not reused. A locked job is being written to.
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

-- Change the declared size of an upload, or raise a problem (409). A job with a detection or a result has verified it.
create function assay.correct_size(p_upload assay.uploads, p_size_bytes bigint) returns assay.uploads
language plpgsql set search_path = '' as $$
declare
    v_upload assay.uploads;
    v_job_id uuid;
begin
    if exists (
        select from assay.jobs j
        where j.upload_id = p_upload.upload_id and (j.detection is not null or j.status = 'done')
    ) then
        perform assay.raise_problem(409, 'size_mismatch',
            format('The file with this SHA-256 has %s bytes, not %s.', p_upload.size_bytes, p_size_bytes),
            'Send the size and the SHA-256 of the same file.');
    end if;
    select j.job_id into v_job_id from assay.jobs j
    where j.upload_id = p_upload.upload_id and not j.cancel_requested
        and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
    order by j.created_at limit 1;
    if found then
        perform assay.raise_problem(409, 'size_mismatch',
            format('A job is waiting for the file with this SHA-256 and %s bytes, not %s.',
                p_upload.size_bytes, p_size_bytes),
            format('Send the correct size. If %s is wrong, cancel that job first: POST /jobs/%s/cancel.',
                p_upload.size_bytes, v_job_id));
    end if;
    update assay.uploads set size_bytes = p_size_bytes where upload_id = p_upload.upload_id returning * into v_upload;
    return v_upload;
end $$;

-- Cancel a job. The worker of a running job is told at its next heartbeat. Idempotent.
create function public.cancel_job(p_job_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_job assay.jobs;
begin
    select * into v_job from assay.jobs where job_id = p_job_id and owner = v_owner for update;
    if not found then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
    if v_job.status in ('done', 'failed', 'expired') then
        perform assay.raise_problem(409, 'job_not_cancellable', 'The job is already ' || v_job.status || '.',
            'Only a job that has not ended can be cancelled.');
    elsif v_job.status = 'running' then
        update assay.jobs set cancel_requested = true where job_id = p_job_id returning * into v_job;
        if v_job.lease_expires_at < now() then
            v_job := assay.settle_lost(v_job);
        end if;
    elsif v_job.status <> 'cancelled' then
        update assay.jobs set status = 'cancelled', cancel_requested = true, finished_at = now()
        where job_id = p_job_id returning * into v_job;
    end if;
    return assay.job_json(v_job);
end $$;

-- Lock and return one of the caller's jobs with its upload. Raises a problem (404).
create function assay.lock_own_job(p_job_id uuid, out upload assay.uploads, out job assay.jobs)
language plpgsql set search_path = '' as $$
begin
    select u.* into upload from assay.uploads u join assay.jobs j using (upload_id)
    where j.job_id = p_job_id and j.owner = assay.signed_in_owner() for update of u;
    select * into job from assay.jobs where job_id = p_job_id and upload_id = upload.upload_id for update;
    if not found then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
end $$;

-- Raise a problem (409) unless the upload is in the object store.
create function assay.require_stored(p_upload assay.uploads) returns void
language plpgsql set search_path = '' as $$
begin
    if p_upload.stored_at is null then
        perform assay.raise_problem(409, 'bytes_missing', 'The file is not in the object store.',
            'Upload the file again with POST /uploads.');
    end if;
end $$;

-- Retry a failed or cancelled job, with as many attempts as a new job. The caller sends a hint to the queue.
create function public.retry_job(p_job_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_own record := assay.lock_own_job(p_job_id);
    v_upload assay.uploads := v_own.upload;
    v_job assay.jobs := v_own.job;
begin
    if v_job.status not in ('failed', 'cancelled') then
        perform assay.raise_problem(409, 'job_not_retryable', 'The job is ' || replace(v_job.status, '_', ' ') || '.',
            'Only a failed or cancelled job can be retried; '
            'for a done job use POST /jobs/{job_id}/reprocess.');
    end if;
    perform assay.require_stored(v_upload);
    if exists (
        select from assay.jobs j where j.upload_id = v_upload.upload_id and not j.cancel_requested
            and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
            and j.requested_dataset_type is not distinct from v_job.requested_dataset_type
            and j.parameters = v_job.parameters
    ) then
        perform assay.raise_problem(409, 'already_under_way', 'Another job is already doing the same with this file.',
            'Find it with GET /jobs, and wait for it.');
    end if;
    update assay.jobs set status = 'queued', error = null, cancel_requested = false, finished_at = null,
        run_after = now(), progress = 0, stage = null, attempts_before = attempt, max_attempts = attempt + 3
    where job_id = p_job_id returning * into v_job;
    perform assay.admit(v_job.owner);
    return assay.job_json(v_job);
end $$;

-- Process the file of a job again with the current pipeline: {"new", "job"}. Parameters and dataset type stay the same,
-- including chosen ones. Returns an equal unfinished job if there is one. The caller sends a hint to the queue.
create function public.reprocess_job(p_job_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_own record := assay.lock_own_job(p_job_id);
    v_upload assay.uploads := v_own.upload;
    v_job assay.jobs := v_own.job;
    v_new assay.jobs;
begin
    select * into v_new from assay.jobs j where j.upload_id = v_upload.upload_id and not j.cancel_requested
        and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
        and j.requested_dataset_type is not distinct from v_job.requested_dataset_type
        and j.parameters = v_job.parameters;
    if found then
        return jsonb_build_object('new', false, 'job', assay.job_json(v_new));
    end if;
    perform assay.require_stored(v_upload);
    insert into assay.jobs (owner, upload_id, filename, size_bytes, requested_dataset_type, parameters, status,
        chosen_dataset_type, chosen_parameters, chosen_by, chosen_at)
    values (v_job.owner, v_job.upload_id, v_job.filename, v_job.size_bytes, v_job.requested_dataset_type,
        v_job.parameters, 'queued', v_job.chosen_dataset_type, v_job.chosen_parameters, v_job.chosen_by,
        v_job.chosen_at)
    returning * into v_new;
    perform assay.admit(v_job.owner);
    return jsonb_build_object('new', true, 'job', assay.job_json(v_new));
end $$;

-- Choose a job's dataset type and its parameters (null: keep them). The job runs with them and with as many attempts as
-- a new job. The caller sends a hint to the queue. By status:
--   awaiting_upload, queued  it keeps its place in the queue, and is due immediately
--   needs_type               it is queued
--   running                  the attempt is superseded, and its worker is told at its next write; the job is queued
--   done                     its outputs, which are from another choice, are deleted; it is queued
--   failed, cancelled        it is queued
--   expired                  refused: there is no file
-- Repeating the same choice changes nothing, unless the job has failed or was cancelled. A job that had started counts
-- as another upload in the hourly limit, like a retry.
create function public.choose_type(p_job_id uuid, p_dataset_type text, p_parameters jsonb default null) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_own record := assay.lock_own_job(p_job_id);
    v_upload assay.uploads := v_own.upload;
    v_job assay.jobs := v_own.job;
    v_before text := coalesce(v_job.chosen_dataset_type, v_job.requested_dataset_type);
    v_parameters_before jsonb := coalesce(v_job.chosen_parameters, v_job.parameters);
    v_parameters jsonb := coalesce(p_parameters, v_parameters_before);
begin
    if p_dataset_type is null or p_dataset_type !~ '^[a-z][a-z0-9_]{0,62}$' then
        perform assay.raise_problem(422, 'unknown_dataset_type', 'There is no such dataset type.',
            'List them with GET /dataset-types.');
    elsif v_job.status = 'expired' then
        perform assay.raise_problem(409, 'bytes_missing', 'The file never arrived.',
            'Upload the file again with POST /uploads.');
    elsif v_before = p_dataset_type and v_parameters = v_parameters_before
        and v_job.status not in ('failed', 'cancelled') and not v_job.cancel_requested then
        return assay.job_json(v_job);
    end if;
    if v_job.status <> 'awaiting_upload' then
        perform assay.require_stored(v_upload);
    end if;
    if exists (
        select from assay.jobs j
        where j.upload_id = v_upload.upload_id and j.job_id <> p_job_id and not j.cancel_requested
            and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
            and j.requested_dataset_type is not distinct from v_job.requested_dataset_type
            and j.parameters = v_job.parameters
    ) then
        perform assay.raise_problem(409, 'already_under_way', 'Another job is already processing this file.',
            'Find it with GET /jobs, and choose its type.');
    end if;

    insert into assay.job_events (job_id, owner, attempt, event, details)
    values (p_job_id, v_job.owner, v_job.attempt, 'type_chosen', jsonb_build_object(
        'dataset_type', p_dataset_type, 'before', coalesce(v_job.dataset_type, v_before),
        'chosen_by', assay.signed_in_owner())
        || case when v_parameters = v_parameters_before then '{}'
            else jsonb_build_object('parameters', v_parameters) end);
    if v_job.status = 'running' then
        perform assay.end_attempt(p_job_id, v_job.attempt, 'superseded', jsonb_build_object(
            'code', 'type_chosen',
            'detail', 'Another dataset type, or other parameters, were chosen during the attempt.',
            'suggestion', 'No action is needed: the job runs again as chosen.'));
    elsif v_job.status = 'done' then
        delete from assay.outputs where job_id = p_job_id;
        perform assay.delete_later(
            'outputs/' || v_job.owner || '/' || p_job_id || '/' || v_job.attempt || '/', now(), false);
    end if;
    update assay.jobs set chosen_dataset_type = p_dataset_type, chosen_parameters = nullif(v_parameters, parameters),
        chosen_by = assay.signed_in_owner(), chosen_at = now(), attempts_before = attempt, max_attempts = attempt + 3
    where job_id = p_job_id;
    if v_job.status = 'queued' then
        update assay.jobs set run_after = least(run_after, now()), stage = null where job_id = p_job_id;
    elsif v_job.status <> 'awaiting_upload' then
        update assay.jobs set status = 'queued', lease_expires_at = null, error = null, cancel_requested = false,
            finished_at = null, run_after = now(), progress = 0, stage = null,
            dataset_type = null, pipeline = null, pipeline_version = null, summary = null, manifest_sha256 = null
        where job_id = p_job_id;
        if v_job.status <> 'needs_type' then
            perform assay.admit(v_job.owner);
        end if;
    end if;
    select * into v_job from assay.jobs where job_id = p_job_id;
    return assay.job_json(v_job);
end $$;

revoke execute on all functions in schema assay from public;
revoke execute on function public.register_upload, public.cancel_job, public.retry_job, public.reprocess_job,
    public.choose_type from public, anon, authenticated, service_role;
grant execute on function public.register_upload, public.cancel_job, public.retry_job, public.reprocess_job,
    public.choose_type to authenticated;
