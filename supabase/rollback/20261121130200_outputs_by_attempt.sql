-- Undoes 20261121130200: no row changes.

set lock_timeout = '5s';
set statement_timeout = '30s';

-- One transaction, in which CONCURRENTLY is not possible.
drop index assay.outputs_by_attempt;

delete from supabase_migrations.schema_migrations where version = '20261121130200';
