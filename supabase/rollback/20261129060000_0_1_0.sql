-- Removes Assay from the database. The objects in the bucket stay.

set lock_timeout = '5s';
set statement_timeout = '5min';

drop function public.register_upload, public.cancel_job, public.retry_job, public.reprocess_job, public.choose_type,
    public.delete_job, public.get_job, public.list_jobs, public.list_outputs, public.get_output,
    public.create_webhook, public.delete_webhook, public.list_webhooks, public.list_deliveries,
    public.list_remembered_columns, public.edit_remembered_columns, public.forget_columns,
    public.get_account, public.export_account, public.delete_account;
drop function public.object_created, public.claim_job, public.report_progress, public.await_type, public.finish_job,
    public.fail_job, public.sweep_jobs, public.clean_up, public.objects_deleted, public.drain_outbox, public.set_plan,
    public.deliveries_due, public.claim_deliveries, public.settle_delivery;
-- The triggers on storage.objects are dropped with their functions; only the table's owner may drop them by name.
drop schema assay cascade;

delete from supabase_migrations.schema_migrations where version = '20261129060000';
