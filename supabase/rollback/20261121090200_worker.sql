-- Undoes 20261121090200: the rows stay, nothing works on them any more.

set lock_timeout = '5s';
set statement_timeout = '30s';

drop function public.object_created, public.claim_job, public.report_progress, public.await_type, public.finish_job,
    public.fail_job, public.sweep_jobs;
drop function assay.claim_json, assay.lock_attempt, assay.end_attempt, assay.answer_ended, assay.cancel_running;

delete from supabase_migrations.schema_migrations where version = '20261121090200';
