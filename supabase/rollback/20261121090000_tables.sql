-- Undoes 20261121090000: everything of Assay goes, all jobs and their results with it.

set lock_timeout = '5s';
set statement_timeout = '30s';

drop schema assay cascade;

delete from supabase_migrations.schema_migrations where version = '20261121090000';
