-- A million jobs of a thousand owners, one of whom has a tenth of them. 94 of 100 are done, the others in each of the other states;
-- each has four events, and if it was tried an attempt; each done one has an output.
set session_replication_role = replica;
create temp table made as
select number, case number % 10 when 0 then '00000000-0000-0000-0000-000000000000' else md5((number % 1000)::text)::uuid end as owner,
    gen_random_uuid() as upload_id, gen_random_uuid() as job_id, now() - number * interval '1 second' as at,
    case number % 100 when 1 then 'failed' when 2 then 'cancelled' when 3 then 'expired' when 4 then 'needs_type'
        when 5 then 'awaiting_upload' when 6 then 'queued' else 'done' end as status
from generate_series(1, 1000000) number;
insert into assay.owners (owner, plan, stored_bytes) select owner, 'pro', 20 * count(*) from made group by owner;
insert into assay.uploads (upload_id, owner, sha256, size_bytes, filename, first_seen, last_used, stored_at)
select upload_id, owner, encode(sha256(upload_id::text::bytea), 'hex'), 10, 'river.csv', at, now(), at from made;
insert into assay.jobs (job_id, owner, upload_id, filename, size_bytes, status, attempt, turn, run_after, pipeline,
    pipeline_version, summary, manifest_sha256, error, created_at, started_at, finished_at, expires_at)
select job_id, owner, upload_id, 'river.csv', 10, status, (status not in ('awaiting_upload', 'queued', 'expired'))::integer,
    case status when 'queued' then number end, at, 'station_measurements', '1.0.0', '{"rows_read": 1}', repeat('a', 64),
    case status when 'failed' then '{"code": "c", "detail": "d", "suggestion": "s"}'::jsonb end, at, at,
    case when status in ('done', 'failed', 'cancelled', 'expired') then at end,
    case when status in ('done', 'failed', 'cancelled', 'expired') then now() + number * interval '1 second' end from made;
insert into assay.attempts (job_id, attempt, owner, worker, started_at, ended_at, outcome, memory_mb)
select job_id, 1, owner, 'worker', at, at, case status when 'needs_type' then 'needs_type' else status end, 1024 from made
where status in ('done', 'failed', 'cancelled', 'needs_type');
insert into assay.outputs (job_id, attempt, owner, position, name, media_type, object_key, size_bytes, sha256)
select job_id, 1, owner, 1, 'manifest.json', 'application/json', 'outputs/' || job_id, 10, repeat('a', 64) from made
where status = 'done';
insert into assay.job_events (job_id, owner, attempt, event, at)
select job_id, owner, 0, event, at from made, unnest(array['awaiting_upload', 'queued', 'running', 'done']) event;
set session_replication_role = origin;
