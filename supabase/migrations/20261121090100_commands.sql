-- What a signed-in user does: register an upload, cancel a job. SECURITY DEFINER, because nobody writes to the tables
-- directly; the owner is always the token's own subject, never an argument.

-- Raise an error that every transport hands on as problem details: SQLSTATE PT<status> (PostgREST answers with that
-- HTTP status), the sentence in the message, the code in DETAIL, the suggestion in HINT.
create function assay.raise_problem(p_status integer, p_code text, p_detail text, p_suggestion text) returns void
language plpgsql set search_path = '' as $$
begin
    raise exception using errcode = 'PT' || p_status, message = p_detail, detail = p_code, hint = p_suggestion;
end $$;

create function assay.signed_in_owner() returns uuid
language plpgsql stable set search_path = '' as $$
begin
    if auth.uid() is null then
        perform assay.raise_problem(401, 'not_signed_in', 'The request carries no signed-in user.',
            'Send a valid access token.');
    end if;
    return auth.uid();
end $$;

-- A job as the API shows it.
create function assay.job_json(p_job assay.jobs) returns jsonb
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

-- End or queue again a running job whose lease ran out: its worker is lost.
create function assay.settle_lost(p_job assay.jobs) returns assay.jobs
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

-- Find the job that already answers this upload, or make one. Two calls at once make one: the upload's row is locked
-- first, and the index jobs_one_under_way stands behind it.
-- `cached` is true when nothing more needs to be sent: the job is done, or its bytes have arrived and it is under way.
-- p_pipeline_versions maps each pipeline to its current version; a result of an older version is not reused.
create function public.register_upload(
    p_filename text, p_size_bytes bigint, p_sha256 text, p_dataset_type text, p_parameters jsonb,
    p_on_duplicate text, p_pipeline_versions jsonb
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_upload assay.uploads;
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
        size_bytes = excluded.size_bytes
    returning * into v_upload;

    -- A job whose last worker was lost answers nothing any more.
    perform assay.settle_lost(j) from assay.jobs j
    where j.upload_id = v_upload.upload_id and j.status = 'running' and j.lease_expires_at < now()
        and (j.cancel_requested or j.attempt >= j.max_attempts);

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
        insert into assay.jobs (owner, upload_id, filename, size_bytes, requested_dataset_type, parameters)
        values (v_owner, v_upload.upload_id, p_filename, p_size_bytes, p_dataset_type, p_parameters)
        returning * into v_job;
    elsif v_job.status = 'awaiting_upload' and v_job.size_bytes <> p_size_bytes then
        -- A size is a claim; until the bytes are there the last one counts.
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

-- Cancel a job. One that runs is asked to stop and says so at its next heartbeat; cancelling twice changes nothing.
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

revoke execute on all functions in schema assay from public;
grant execute on function assay.raise_problem, assay.job_json to authenticated;
revoke execute on function public.register_upload, public.cancel_job from public, anon, authenticated, service_role;
grant execute on function public.register_upload, public.cancel_job to authenticated;
