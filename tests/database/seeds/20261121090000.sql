-- One owner with one upload and one job of each status, as the first version's tables take them; ids end in the place of the status in the list.

insert into assay.uploads (upload_id, owner, sha256, size_bytes, filename)
select ('00000000-0000-4000-8000-00000000000' || place)::uuid, '00000000-0000-4000-8000-000000000000',
    encode(sha256(convert_to(status, 'UTF8')), 'hex'), 10, status || '.csv'
from unnest(array['awaiting_upload', 'queued', 'running', 'needs_type', 'done', 'failed', 'cancelled', 'expired'])
    with ordinality as s (status, place);

insert into assay.jobs (job_id, owner, upload_id, filename, size_bytes, status, attempt, lease_expires_at, stage, error,
    detection, dataset_type, pipeline, pipeline_version, summary, manifest_sha256, progress, started_at, finished_at)
select upload_id, owner, upload_id, filename, size_bytes, status,
    case status when 'queued' then 2 when 'running' then 1 when 'needs_type' then 1 when 'done' then 1 when 'failed' then 1
        when 'cancelled' then 1 else 0 end,
    case when status = 'running' then now() + interval '1 hour' end,
    case when status = 'running' then 'reading' end,
    case when status = 'failed' then '{"code": "no_header", "detail": "No header was found.", "suggestion": "Add one."}'::jsonb end,
    case when status in ('needs_type', 'done') then '{"confidence": 0.5}'::jsonb end,
    case when status = 'done' then 'station_measurements' end,
    case when status = 'done' then 'station_measurements' end,
    case when status = 'done' then '1.0.0' end,
    case when status = 'done' then '{"rows_read": 1}'::jsonb end,
    case when status = 'done' then repeat('a', 64) end,
    case when status = 'done' then 1 else 0 end,
    case when status not in ('awaiting_upload', 'expired') then now() end,
    case when status in ('done', 'failed', 'cancelled', 'expired') then now() end
from (select u.*, split_part(filename, '.', 1) as status from assay.uploads u) u;

insert into assay.attempts (job_id, attempt, owner, worker, ended_at, outcome, error)
select ('00000000-0000-4000-8000-00000000000' || place)::uuid, attempt, '00000000-0000-4000-8000-000000000000', 'worker',
    case when outcome is not null then now() end, outcome, case when outcome in ('failed', 'retry') then '{"code": "x"}'::jsonb end
from (values (2, 1, 'lost'), (2, 2, 'retry'), (3, 1, null), (4, 1, 'needs_type'), (5, 1, 'done'), (6, 1, 'failed'), (7, 1, 'cancelled'))
    as a (place, attempt, outcome);

insert into assay.outputs (job_id, attempt, owner, position, name, media_type, object_key, size_bytes, sha256)
values ('00000000-0000-4000-8000-000000000005', 1, '00000000-0000-4000-8000-000000000000', 1, 'manifest.json',
    'application/json', 'outputs/manifest.json', 3, repeat('a', 64));
