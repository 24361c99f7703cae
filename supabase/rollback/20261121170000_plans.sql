-- Undoes 20261121170000: the plans, changed limits and the owners' plans are forgotten; nobody is held to a limit, and nothing expires.

set lock_timeout = '5s';
set statement_timeout = '30s';

drop trigger set_expiry on assay.jobs;
drop trigger hold_upload on assay.uploads;
drop trigger hold_upload_of_other_size on assay.uploads;
drop trigger hold_new_outputs on assay.outputs;
drop trigger hold_no_longer on assay.outputs;
drop function public.set_plan;
drop function assay.set_expiry, assay.hold_upload, assay.hold_outputs, assay.hold, assay.admit, assay.plan_of;

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

alter table assay.jobs drop column expires_at;
alter table assay.uploads drop column stored_at;
drop table assay.owners;
drop table assay.plans;

delete from supabase_migrations.schema_migrations where version = '20261121170000';
