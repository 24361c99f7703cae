-- Undoes 20261121090100: the rows stay, nobody can register an upload any more.

set lock_timeout = '5s';
set statement_timeout = '30s';

drop function public.register_upload, public.cancel_job;
drop function assay.settle_lost, assay.job_json, assay.signed_in_owner, assay.raise_problem;

delete from supabase_migrations.schema_migrations where version = '20261121090100';
