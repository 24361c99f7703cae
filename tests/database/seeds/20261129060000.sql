-- Rows in every table: one owner with one upload and one job of each status. The ids end in the place of the status in
-- the list.

insert into assay.uploads (upload_id, owner, sha256, size_bytes, filename, stored_at)
select ('00000000-0000-4000-8000-00000000000' || place)::uuid, '00000000-0000-4000-8000-000000000000',
    encode(sha256(convert_to(status, 'UTF8')), 'hex'), 10, status || '.csv',
    case when status not in ('awaiting_upload', 'expired') then now() end
from unnest(array['awaiting_upload', 'queued', 'running', 'needs_type', 'done', 'failed', 'cancelled', 'expired'])
    with ordinality as s (status, place);

-- The done job's type was chosen; the failed one was tried again by hand; the queued one waits for its turn.
insert into assay.jobs (job_id, owner, upload_id, filename, size_bytes, status, attempt, attempts_before, max_attempts,
    lease_expires_at, stage, error, detection, dataset_type, pipeline, pipeline_version, summary, manifest_sha256, cost,
    progress, started_at, finished_at, expires_at, chosen_dataset_type, chosen_parameters,
    chosen_by, chosen_at)
select upload_id, owner, upload_id, filename, size_bytes, status,
    case when status = 'queued' then 2 when status in ('awaiting_upload', 'expired') then 0 else 1 end,
    case when status = 'failed' then 1 else 0 end, case when status = 'failed' then 4 else 3 end,
    case when status = 'running' then now() + interval '1 hour' end,
    case when status = 'running' then 'reading' end,
    case when status = 'failed' then
        '{"code": "no_header", "detail": "No header was found.", "suggestion": "Add one."}'::jsonb end,
    case when status in ('needs_type', 'done') then '{"confidence": 0.5}'::jsonb end,
    case when status = 'done' then 'station_measurements' end,
    case when status = 'done' then 'station_measurements' end,
    case when status = 'done' then '1.0.0' end,
    case when status = 'done' then '{"rows_read": 1}'::jsonb end,
    case when status = 'done' then repeat('a', 64) end,
    case when status = 'done' then '{"currency": "USD", "total": 0.1}'::jsonb end,
    case when status = 'done' then 1 else 0 end,
    case when status not in ('awaiting_upload', 'expired') then now() end,
    case when status in ('done', 'failed', 'cancelled', 'expired') then now() end,
    case when status in ('done', 'failed', 'cancelled', 'expired') then now() + interval '1 year' end,
    case when status = 'done' then 'table' end,
    case when status = 'done' then '{"reading": {"decimal": ","}}'::jsonb end,
    case when status = 'done' then owner end,
    case when status = 'done' then now() end
from (select u.*, split_part(filename, '.', 1) as status from assay.uploads u) u;
update assay.jobs set turn = 7 where status = 'queued';

insert into assay.attempts (job_id, attempt, owner, worker, memory_mb, ended_at, outcome, error)
select ('00000000-0000-4000-8000-00000000000' || place)::uuid, attempt, '00000000-0000-4000-8000-000000000000',
    'worker', 1024, case when outcome is not null then now() end, outcome,
    case when outcome in ('failed', 'retry') then '{"code": "x"}'::jsonb end
from (values (2, 1, 'lost'), (2, 2, 'retry'), (3, 1, null), (4, 1, 'needs_type'), (5, 1, 'done'), (6, 1, 'failed'),
    (7, 1, 'cancelled')) as a (place, attempt, outcome);

insert into assay.outputs (job_id, attempt, owner, position, name, media_type, object_key, size_bytes, sha256)
values ('00000000-0000-4000-8000-000000000005', 1, '00000000-0000-4000-8000-000000000000', 1, 'manifest.json',
    'application/json', 'outputs/manifest.json', 3, repeat('a', 64));

-- An object that went to the queue, and one that did not.
insert into assay.outbox (object_key, told_at) values ('uploads/told', now()), ('uploads/new', null);

-- A price and a limit of the operator's own, and an owner with a plan.
update assay.list_prices set usd = 0.00001 where item = 'lambda_gb_second';
update assay.plans set uploads_per_hour = 100 where plan = 'free';
update assay.owners set plan = 'pro', uploads_until = '2026-11-21 12:00:00+00';

-- A deletion that is due later, bytes that may be reused until then, and one that has begun and has to be repeated.
insert into assay.deletions (object_key, due_at, taken_at, reusable, again) values
    ('outputs/00000000-0000-4000-8000-000000000000/00000000-0000-4000-8000-000000000009/',
        now() + interval '1 hour', null, false, false),
    ('uploads/00000000-0000-4000-8000-000000000000/' || repeat('a', 64), now() + interval '1 hour', null, true, false),
    ('uploads/00000000-0000-4000-8000-000000000000/' || repeat('b', 64), now(), now(), false, true);

-- A webhook that is in use and one that is deleted, and a delivery of each state.
insert into assay.webhooks (webhook_id, owner, url, secret, deleted_at) values
    ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000000', 'https://example.org/hook',
        'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=', null),
    ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000000', 'https://example.org/gone',
        null, now());
insert into assay.deliveries (webhook_id, owner, job_id, type, data, occurred_at, state, attempts, next_attempt_at,
    error, ended_at)
select '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000000',
    '00000000-0000-4000-8000-000000000005', 'job.done', '{"status": "done"}', now(), state,
    case when state = 'pending' then 0 else 1 end,
    case when state in ('pending', 'sending') then now() + interval '1 hour' end,
    case when state = 'failed' then '{"code": "timed_out", "detail": "No answer.", "suggestion": "Answer."}'::jsonb end,
    case when state in ('delivered', 'failed') then now() end
from unnest(array['pending', 'sending', 'delivered', 'failed']) as s (state);

-- Columns that a person confirmed.
insert into assay.remembered_columns (owner, dataset_type, header_sha256, columns, filename, chosen_by) values
    ('00000000-0000-4000-8000-000000000000', 'transactions', repeat('c', 64), '{"revenue": "Gross"}', 'orders.csv',
        '00000000-0000-4000-8000-000000000000');
