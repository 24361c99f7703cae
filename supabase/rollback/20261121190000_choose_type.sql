-- Undoes 20261121190000: which type a person chose is forgotten (the events still tell it), and an attempt that was superseded counts as lost.

set lock_timeout = '5s';
set statement_timeout = '5min';

drop function public.choose_type;

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
    insert into assay.jobs (owner, upload_id, filename, size_bytes, requested_dataset_type, parameters, status)
    values (v_job.owner, v_job.upload_id, v_job.filename, v_job.size_bytes, v_job.requested_dataset_type, v_job.parameters, 'queued')
    returning * into v_new;
    perform assay.admit(v_job.owner);
    return jsonb_build_object('new', true, 'job', assay.job_json(v_new));
end $$;

create or replace function assay.claim_json(p_job assay.jobs) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
    v_job jsonb := assay.job_json(p_job);
begin
    return jsonb_build_object('claimed', true, 'attempt', p_job.attempt, 'owner', p_job.owner,
        'object_key', 'uploads/' || p_job.owner || '/' || (v_job ->> 'sha256'), 'job', v_job);
end $$;

create or replace function assay.job_json(p_job assay.jobs) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
    return jsonb_build_object(
        'job_id', p_job.job_id, 'status', p_job.status, 'filename', p_job.filename,
        'sha256', (select u.sha256 from assay.uploads u where u.upload_id = p_job.upload_id), 'size_bytes', p_job.size_bytes,
        'requested_dataset_type', p_job.requested_dataset_type, 'dataset_type', p_job.dataset_type,
        'pipeline', p_job.pipeline, 'pipeline_version', p_job.pipeline_version, 'parameters', p_job.parameters,
        'progress', round(p_job.progress::numeric, 4), 'stage', p_job.stage, 'detection', p_job.detection,
        'error', p_job.error, 'summary', p_job.summary, 'manifest_sha256', p_job.manifest_sha256,
        'cancel_requested', p_job.cancel_requested, 'created_at', p_job.created_at,
        'started_at', p_job.started_at, 'finished_at', p_job.finished_at, 'expires_at', p_job.expires_at,
        'cost', p_job.cost);
end $$;

create or replace function assay.delete_outputs_of(p_attempt assay.attempts) returns void
language plpgsql set search_path = '' as $$
begin
    if p_attempt.outcome in ('failed', 'retry', 'cancelled', 'lost') then
        perform assay.delete_later(
            'outputs/' || p_attempt.owner || '/' || p_attempt.job_id || '/' || p_attempt.attempt || '/',
            now() + case p_attempt.outcome when 'lost' then interval '15 minutes' else interval '0' end, false);
    end if;
end $$;

create or replace function assay.guard_status() returns trigger
language plpgsql set search_path = '' as $$
begin
    if (old.status, new.status) not in (
        ('awaiting_upload', 'queued'), ('awaiting_upload', 'cancelled'), ('awaiting_upload', 'expired'),
        ('queued', 'running'), ('queued', 'cancelled'),
        ('running', 'queued'), ('running', 'needs_type'),
        ('running', 'done'), ('running', 'failed'), ('running', 'cancelled'),
        ('needs_type', 'queued'), ('needs_type', 'cancelled'),
        ('failed', 'queued'), ('cancelled', 'queued')
    ) then
        raise exception 'a job cannot go from % to %', old.status, new.status using errcode = 'check_violation';
    end if;
    return new;
end $$;

update assay.attempts set outcome = 'lost' where outcome = 'superseded';
-- squawk-ignore ban-drop-constraint
alter table assay.attempts drop constraint attempts_outcome_check;
-- squawk-ignore constraint-missing-not-valid
alter table assay.attempts add constraint attempts_outcome_check check (
    outcome in ('done', 'failed', 'retry', 'needs_type', 'cancelled', 'lost'));

alter table assay.jobs drop column chosen_dataset_type, drop column chosen_by, drop column chosen_at;

delete from supabase_migrations.schema_migrations where version = '20261121190000';
