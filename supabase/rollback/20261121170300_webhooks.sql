-- Undoes 20261121170300: webhooks and their secrets are forgotten, and what was not sent yet is sent no more.

set lock_timeout = '5s';
set statement_timeout = '30s';

drop trigger note_ending on assay.jobs;
drop function assay.note_ending;
drop function public.create_webhook, public.delete_webhook, public.list_webhooks, public.list_deliveries,
    public.deliveries_due, public.claim_deliveries, public.settle_delivery;
drop function assay.webhook_json, assay.new_secret, assay.forget_deliveries;
drop table assay.deliveries;
drop table assay.webhooks;

delete from supabase_migrations.schema_migrations where version = '20261121170300';
