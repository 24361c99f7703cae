-- A person says what a file is, at any time: the job runs again as that type, and keeps who chose it and when.

set lock_timeout = '5s';
set statement_timeout = '5min';  -- reads all attempts for their outcome

-- The type that a person chose for the job after it was made. Beside requested_dataset_type, which stays as it was asked for: whoever sends
-- the same file in the same way again is answered by this job.
alter table assay.jobs add column chosen_dataset_type text check (chosen_dataset_type ~ '^[a-z][a-z0-9_]{0,62}$');
alter table assay.jobs add column chosen_by uuid;
alter table assay.jobs add column chosen_at timestamptz check (
    (chosen_dataset_type is null) = (chosen_by is null) and (chosen_dataset_type is null) = (chosen_at is null));

-- `superseded`: the attempt ran when another type was chosen. It may go on storing, like one that was lost.
-- squawk-ignore ban-drop-constraint
alter table assay.attempts drop constraint attempts_outcome_check;
-- squawk-ignore constraint-missing-not-valid
alter table assay.attempts add constraint attempts_outcome_check check (
    outcome in ('done', 'failed', 'retry', 'needs_type', 'cancelled', 'lost', 'superseded'));

create or replace function assay.guard_status() returns trigger
language plpgsql set search_path = '' as $$
begin
    if (old.status, new.status) not in (
        ('awaiting_upload', 'queued'), ('awaiting_upload', 'cancelled'), ('awaiting_upload', 'expired'),
        ('queued', 'running'), ('queued', 'cancelled'),
        ('running', 'queued'), ('running', 'needs_type'),
        ('running', 'done'), ('running', 'failed'), ('running', 'cancelled'),
        ('needs_type', 'queued'), ('needs_type', 'cancelled'),
        ('failed', 'queued'), ('cancelled', 'queued'), ('done', 'queued')
    ) then
        raise exception 'a job cannot go from % to %', old.status, new.status using errcode = 'check_violation';
    end if;
    return new;
end $$;

-- What an attempt stored is of use only if it ended as done. A lost or superseded one may go on storing until Lambda ends it, at the latest
-- 15 minutes after it began.
create or replace function assay.delete_outputs_of(p_attempt assay.attempts) returns void
language plpgsql set search_path = '' as $$
begin
    if p_attempt.outcome in ('failed', 'retry', 'cancelled', 'lost', 'superseded') then
        perform assay.delete_later(
            'outputs/' || p_attempt.owner || '/' || p_attempt.job_id || '/' || p_attempt.attempt || '/',
            now() + case when p_attempt.outcome in ('lost', 'superseded') then interval '15 minutes' else interval '0' end, false);
    end if;
end $$;

-- A job as the API shows it.
create or replace function assay.job_json(p_job assay.jobs) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
    return jsonb_build_object(
        'job_id', p_job.job_id, 'status', p_job.status, 'filename', p_job.filename,
        'sha256', (select u.sha256 from assay.uploads u where u.upload_id = p_job.upload_id), 'size_bytes', p_job.size_bytes,
        'requested_dataset_type', p_job.requested_dataset_type, 'type_choice', case when p_job.chosen_at is not null then
            jsonb_build_object('dataset_type', p_job.chosen_dataset_type, 'chosen_by', p_job.chosen_by, 'chosen_at', p_job.chosen_at) end,
        'dataset_type', p_job.dataset_type,
        'pipeline', p_job.pipeline, 'pipeline_version', p_job.pipeline_version, 'parameters', p_job.parameters,
        'progress', round(p_job.progress::numeric, 4), 'stage', p_job.stage, 'detection', p_job.detection,
        'error', p_job.error, 'summary', p_job.summary, 'manifest_sha256', p_job.manifest_sha256,
        'cancel_requested', p_job.cancel_requested, 'created_at', p_job.created_at,
        'started_at', p_job.started_at, 'finished_at', p_job.finished_at, 'expires_at', p_job.expires_at,
        'cost', p_job.cost);
end $$;

-- The type that was chosen is to the worker the one that was asked for.
create or replace function assay.claim_json(p_job assay.jobs) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
    v_job jsonb := assay.job_json(p_job);
begin
    return jsonb_build_object('claimed', true, 'attempt', p_job.attempt, 'owner', p_job.owner,
        'object_key', 'uploads/' || p_job.owner || '/' || (v_job ->> 'sha256'),
        'job', v_job || jsonb_build_object(
            'requested_dataset_type', coalesce(p_job.chosen_dataset_type, p_job.requested_dataset_type)));
end $$;

-- Say what the file of a job is. The job runs as that type, with as many attempts as a new one has; the worker is to be told.
--   awaiting_upload, queued  it stays where it is in the queue, and is due at once
--   needs_type               it is queued
--   running                  the attempt is superseded, learns it at its next write, and the job is queued
--   done                     the outputs, which are those of another type, go; the job is queued
--   failed, cancelled        it is queued
--   expired                  refused: there are no bytes
-- Chosen again, a type changes nothing unless the job has failed or was cancelled. What was done or had begun counts as another upload of the
-- hour, as a retry does.
create function public.choose_type(p_job_id uuid, p_dataset_type text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_own record := assay.lock_own_job(p_job_id);
    v_upload assay.uploads := v_own.upload;
    v_job assay.jobs := v_own.job;
    v_before text := coalesce(v_job.chosen_dataset_type, v_job.requested_dataset_type);
begin
    if p_dataset_type is null or p_dataset_type !~ '^[a-z][a-z0-9_]{0,62}$' then
        perform assay.raise_problem(422, 'unknown_dataset_type', 'There is no such dataset type.', 'List them with GET /dataset-types.');
    elsif v_job.status = 'expired' then
        perform assay.raise_problem(409, 'bytes_missing', 'The file never came.', 'Upload the file again with POST /uploads.');
    elsif v_before = p_dataset_type and v_job.status not in ('failed', 'cancelled') and not v_job.cancel_requested then
        return assay.job_json(v_job);
    end if;
    if v_job.status <> 'awaiting_upload' then
        perform assay.require_stored(v_upload);
    end if;
    if exists (
        select from assay.jobs j where j.upload_id = v_upload.upload_id and j.job_id <> p_job_id and not j.cancel_requested
            and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
            and j.requested_dataset_type is not distinct from v_job.requested_dataset_type and j.parameters = v_job.parameters
    ) then
        perform assay.raise_problem(409, 'already_under_way', 'Another job is under way with the same file.',
            'Find it with GET /jobs, and choose its type.');
    end if;

    insert into assay.job_events (job_id, owner, attempt, event, details)
    values (p_job_id, v_job.owner, v_job.attempt, 'type_chosen', jsonb_build_object(
        'dataset_type', p_dataset_type, 'before', coalesce(v_job.dataset_type, v_before), 'chosen_by', assay.signed_in_owner()));
    if v_job.status = 'running' then
        perform assay.end_attempt(p_job_id, v_job.attempt, 'superseded', jsonb_build_object(
            'code', 'type_chosen', 'detail', 'Another dataset type was chosen while the attempt ran.',
            'suggestion', 'Nothing needs to be done: the job runs again as that type.'));
    elsif v_job.status = 'done' then
        delete from assay.outputs where job_id = p_job_id;
        perform assay.delete_later('outputs/' || v_job.owner || '/' || p_job_id || '/' || v_job.attempt || '/', now(), false);
    end if;
    update assay.jobs set chosen_dataset_type = p_dataset_type, chosen_by = assay.signed_in_owner(), chosen_at = now(),
        attempts_before = attempt, max_attempts = attempt + 3
    where job_id = p_job_id;
    if v_job.status = 'queued' then
        update assay.jobs set run_after = least(run_after, now()), stage = null where job_id = p_job_id;
    elsif v_job.status <> 'awaiting_upload' then
        update assay.jobs set status = 'queued', lease_expires_at = null, error = null, cancel_requested = false, finished_at = null,
            run_after = now(), progress = 0, stage = null,
            dataset_type = null, pipeline = null, pipeline_version = null, summary = null, manifest_sha256 = null
        where job_id = p_job_id;
        if v_job.status <> 'needs_type' then
            perform assay.admit(v_job.owner);
        end if;
    end if;
    select * into v_job from assay.jobs where job_id = p_job_id;
    return assay.job_json(v_job);
end $$;

-- Process the file of a job anew, with the same dataset type, also where that was chosen, and the same parameters, and the pipeline of today:
-- {"new", "job"}. Where such a job is under way, that one answers. The worker is to be told.
create or replace function public.reprocess_job(p_job_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_own record := assay.lock_own_job(p_job_id);
    v_upload assay.uploads := v_own.upload;
    v_job assay.jobs := v_own.job;
    v_new assay.jobs;
begin
    select * into v_new from assay.jobs j where j.upload_id = v_upload.upload_id and not j.cancel_requested
        and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
        and j.requested_dataset_type is not distinct from v_job.requested_dataset_type and j.parameters = v_job.parameters;
    if found then
        return jsonb_build_object('new', false, 'job', assay.job_json(v_new));
    end if;
    perform assay.require_stored(v_upload);
    insert into assay.jobs (owner, upload_id, filename, size_bytes, requested_dataset_type, parameters, status,
        chosen_dataset_type, chosen_by, chosen_at)
    values (v_job.owner, v_job.upload_id, v_job.filename, v_job.size_bytes, v_job.requested_dataset_type, v_job.parameters, 'queued',
        v_job.chosen_dataset_type, v_job.chosen_by, v_job.chosen_at)
    returning * into v_new;
    perform assay.admit(v_job.owner);
    return jsonb_build_object('new', true, 'job', assay.job_json(v_new));
end $$;

revoke execute on function public.choose_type from public, anon, authenticated, service_role;
grant execute on function public.choose_type to authenticated;
