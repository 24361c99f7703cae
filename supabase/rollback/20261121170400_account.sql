-- Undoes 20261121170400. No row is lost.

set lock_timeout = '5s';
set statement_timeout = '30s';

drop function public.delete_account, public.export_account, public.get_account;
drop function assay.export_jobs, assay.export_uploads, assay.export_webhooks;

delete from supabase_migrations.schema_migrations where version = '20261121170400';
