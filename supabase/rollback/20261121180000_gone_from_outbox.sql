-- Undoes 20261121180000: no row changes.

set lock_timeout = '5s';
set statement_timeout = '30s';

-- With its trigger. Not `drop trigger`, which only the owner of storage.objects may do.
drop function assay.forget_object cascade;

delete from supabase_migrations.schema_migrations where version = '20261121180000';
