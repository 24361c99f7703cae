-- Undoes 20261121090300: the rows stay, nobody can read them through the API any more.

set lock_timeout = '5s';
set statement_timeout = '30s';

drop function public.get_job, public.list_jobs, public.list_outputs, public.get_output;

delete from supabase_migrations.schema_migrations where version = '20261121090300';
