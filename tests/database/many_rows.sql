-- 100,000 jobs, most of them done, of 20,000 owners, the first of whom has 1,000; as the tables take them, with the triggers off.

set session_replication_role = replica;

create temporary table numbered as
select n, md5('owner' || case when n < 1000 then 0 else n / 5 end)::uuid as owner, md5('job' || n)::uuid as job_id,
    encode(sha256(convert_to(n::text, 'UTF8')), 'hex') as sha256,
    case n % 1000 when 0 then 'awaiting_upload' when 1 then 'queued' when 2 then 'queued' when 3 then 'running' when 4 then 'needs_type'
        when 5 then 'failed' when 6 then 'cancelled' when 7 then 'expired' else 'done' end as status
from generate_series(0, 99999) n;

insert into assay.owners (owner, plan, stored_bytes)
select owner, case when min(n) % 700 = 0 then 'pro' else 'free' end, 20000 from numbered group by owner;

insert into assay.uploads (upload_id, owner, sha256, size_bytes, filename, stored_at)
select job_id, owner, sha256, 10, 'a.csv', case when status not in ('awaiting_upload', 'expired') then now() end from numbered;

insert into assay.jobs (job_id, owner, upload_id, filename, size_bytes, status, attempt, lease_expires_at, run_after, turn, error,
    pipeline, pipeline_version, manifest_sha256, created_at, finished_at, expires_at)
select job_id, owner, job_id, 'a.csv', 10, status, case when status in ('awaiting_upload', 'queued', 'expired') then 0 else 1 end,
    case when status = 'running' then now() + interval '1 minute' * (n % 7000 / 1000 - 1) end,
    now() - interval '1 second' * n, case when status = 'queued' then n % 7 end,
    case when status = 'failed' then '{"code": "c", "detail": "d", "suggestion": "s"}'::jsonb end,
    'table', '1.0.0', repeat('a', 64), now() - interval '1 second' * n,
    case when status in ('done', 'failed', 'cancelled', 'expired') then now() - interval '1 second' * n end,
    case when status in ('done', 'failed', 'cancelled', 'expired') then now() + interval '1 minute' * (n - 50) end
from numbered;

insert into assay.attempts (job_id, attempt, owner, worker, memory_mb, ended_at, outcome)
select job_id, 1, owner, 'worker ' || n, 1024, case when status <> 'running' then now() end,
    case status when 'running' then null else status end
from numbered where status in ('running', 'needs_type', 'failed', 'cancelled', 'done');

insert into assay.outputs (output_id, job_id, attempt, owner, position, name, media_type, object_key, size_bytes, sha256)
select md5('output' || n)::uuid, job_id, 1, owner, 1, 'a.csv', 'text/csv', 'outputs/' || owner || '/' || job_id || '/1/a.csv', 10, sha256
from numbered where status = 'done';

insert into assay.job_events (job_id, owner, attempt, event)
select job_id, owner, 0, event from numbered, unnest(array['awaiting_upload', 'queued']) event where status = 'done';

insert into assay.deletions (object_key, due_at)
select 'outputs/' || owner || '/' || job_id || '/2/', now() + interval '1 second' * (n - 100) from numbered where n % 5 = 0;

insert into assay.outbox (object_key, written_at, told_at)
select 'uploads/' || owner || '/' || sha256, now(), case when n % 500 <> 0 then now() end from numbered where n % 50 = 0;

insert into assay.webhooks (webhook_id, owner, url, secret)
select md5('webhook' || owner)::uuid, owner, 'https://example.org/', 'whsec_' || repeat('A', 44) from (select distinct owner from numbered) o;

insert into assay.remembered_columns (choice_id, owner, dataset_type, header_sha256, columns, filename, chosen_by)
select md5('choice' || owner || n)::uuid, owner, 'transactions', encode(sha256(n::text::bytea), 'hex'), '{"revenue": "Gross"}', 'a.csv', owner
from (select distinct owner from numbered) o, generate_series(0, case owner when md5('owner0')::uuid then 99 else 4 end) n;

insert into assay.deliveries (delivery_id, webhook_id, owner, job_id, type, data, occurred_at, state, attempts, next_attempt_at, ended_at)
select md5('delivery' || n)::uuid, md5('webhook' || owner)::uuid, owner, job_id, 'job.done', '{}', now() - interval '1 second' * n,
    case when n % 1000 = 8 then 'pending' when n % 5000 = 9 then 'sending' else 'delivered' end, 1,
    case when n % 1000 = 8 or n % 5000 = 9 then now() end, case when n % 1000 = 8 or n % 5000 = 9 then null else now() - interval '1 minute' * n end
from numbered where status = 'done';

drop table numbered;
set session_replication_role = origin;
