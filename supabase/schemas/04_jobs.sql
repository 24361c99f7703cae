-- Jobs: a job is one analysis of one upload, with one dataset type and one set of parameters.

create table assay.jobs (
    job_id                 uuid primary key default gen_random_uuid(),
    owner                  uuid not null,
    upload_id              uuid not null references assay.uploads on delete cascade,
    filename               text not null check (length(filename) between 1 and 255 and filename !~ '[/\\[:cntrl:]]'),
    size_bytes             bigint not null check (size_bytes > 0),  -- the declared size, which the worker verifies

    -- The request.
    requested_dataset_type text check (requested_dataset_type ~ '^[a-z][a-z0-9_]{0,62}$'),
    parameters             jsonb not null default '{}' check (
        jsonb_typeof(parameters) = 'object' and octet_length(parameters::text) <= 131072),

    -- What a user chose after the job was created: the type, and the parameters if they differ. The request above does
    -- not change, so that the same request for the same file still finds this job.
    chosen_dataset_type    text check (chosen_dataset_type ~ '^[a-z][a-z0-9_]{0,62}$'),
    chosen_parameters      jsonb check (
        jsonb_typeof(chosen_parameters) = 'object' and octet_length(chosen_parameters::text) <= 131072),
    chosen_by              uuid,
    chosen_at              timestamptz,

    -- awaiting_upload   the file has not arrived      -> queued, cancelled, expired
    -- queued            a worker can claim it         -> running, cancelled
    -- running           a worker has claimed it       -> done, failed, needs_type, cancelled; queued (retry)
    -- needs_type        the user must choose a type   -> queued, cancelled
    -- done              it has outputs                -> queued (another type was chosen)
    -- failed            it has an error               -> queued (retried, or a type was chosen)
    -- cancelled                                       -> queued (retried, or a type was chosen)
    -- expired           the file never arrived
    status                 text not null default 'awaiting_upload' check (status in (
        'awaiting_upload', 'queued', 'running', 'needs_type', 'done', 'failed', 'cancelled', 'expired')),
    cancel_requested       boolean not null default false,
    progress               real not null default 0 check (progress between 0 and 1),
    stage                  text,

    -- Attempts. Every write of a worker names its attempt; a write for an older attempt changes nothing.
    attempt                integer not null default 0 check (attempt between 0 and max_attempts),  -- the latest
    attempts_before        integer not null default 0 check (attempts_before >= 0),  -- at the user's last retry or choice
    max_attempts           integer not null default 3 check (max_attempts > 0),
    lease_expires_at       timestamptz,  -- a worker that does not extend it in time is lost
    run_after              timestamptz not null default now(),

    -- Start-time fair queueing (Goyal, Vin, Cheng 1996) with equal weights. The lowest turn is next.
    turn                   bigint,

    -- The result. The detection is written after the worker has verified size and hash.
    detection              jsonb,
    dataset_type           text,
    pipeline               text,
    pipeline_version       text,
    summary                jsonb,
    error                  jsonb check (
        error is null or (error ? 'code' and error ? 'detail' and error ? 'suggestion')),
    manifest_sha256        text check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
    cost                   jsonb,  -- see assay.job_cost

    created_at             timestamptz not null default now(),
    started_at             timestamptz,
    finished_at            timestamptz,
    expires_at             timestamptz,  -- when clean_up removes the job; null: it has not ended

    check ((status = 'running') = (lease_expires_at is not null)),
    check ((status in ('done', 'failed', 'cancelled', 'expired')) = (finished_at is not null)),
    check (status <> 'failed' or error is not null),
    check (status <> 'done' or (pipeline is not null and pipeline_version is not null and manifest_sha256 is not null)),
    check ((chosen_dataset_type is null) = (chosen_by is null) and (chosen_dataset_type is null) = (chosen_at is null)),
    check (chosen_parameters is null or chosen_dataset_type is not null)
);

-- At most one unfinished job per upload, requested type and parameters: two identical uploads at the same time get one
-- job.
create unique index jobs_one_under_way on assay.jobs
    (upload_id, coalesce(requested_dataset_type, ''), md5(parameters::text))
    where status in ('awaiting_upload', 'queued', 'running', 'needs_type') and not cancel_requested;
create index jobs_by_upload on assay.jobs (upload_id, created_at desc);
create index jobs_by_owner on assay.jobs (owner, created_at desc, job_id desc);
create index jobs_by_owner_and_status on assay.jobs (owner, status, created_at desc, job_id desc);
create index jobs_by_expiry on assay.jobs (expires_at) where expires_at is not null;
-- One partial index per status. None contains lease_expires_at, so heartbeats update no index.
create index jobs_awaiting on assay.jobs (created_at) where status = 'awaiting_upload';
create index jobs_by_turn on assay.jobs (turn, run_after) where status = 'queued';
create index jobs_by_owner_and_turn on assay.jobs (owner, turn desc) where status = 'queued';
create index jobs_running on assay.jobs (owner) where status = 'running';

alter table assay.jobs enable row level security;
create policy owner_reads on assay.jobs for select to authenticated using (owner = (select auth.uid()));
grant select on assay.jobs to authenticated;

-- Raise an error for a transition that is not in the list above: it would be a bug in a function.
create function assay.guard_status() returns trigger
language plpgsql set search_path = '' as $$
begin
    if (old.status, new.status) not in (
        ('awaiting_upload', 'queued'), ('awaiting_upload', 'cancelled'), ('awaiting_upload', 'expired'),
        ('queued', 'running'), ('queued', 'cancelled'),
        ('running', 'queued'), ('running', 'needs_type'),
        ('running', 'done'), ('running', 'failed'), ('running', 'cancelled'),
        ('needs_type', 'queued'), ('needs_type', 'cancelled'),
        ('done', 'queued'), ('failed', 'queued'), ('cancelled', 'queued')
    ) then
        raise exception 'a job cannot go from % to %', old.status, new.status using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger guard_status before update of status on assay.jobs
    for each row execute function assay.guard_status();

-- Set a queued job's turn: after the owner's last queued job, but not before the queue's current turn.
create function assay.set_turn() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.turn := greatest(
        (select max(j.turn) + 1 from assay.jobs j where j.owner = new.owner and j.status = 'queued'),
        -- A job that waits for a retry keeps its old turn, which is not the queue's current turn.
        coalesce(
            (select j.turn from assay.jobs j where j.status = 'queued' and j.run_after <= now()
             order by j.turn limit 1),
            (select min(j.turn) from assay.jobs j where j.status = 'queued'), 0));
    return new;
end $$;
create trigger set_turn_of_new before insert on assay.jobs
    for each row when (new.status = 'queued') execute function assay.set_turn();
-- A job that returns from an attempt keeps its turn.
create trigger set_turn before update of status on assay.jobs
    for each row when (new.status = 'queued' and old.status <> 'running') execute function assay.set_turn();

-- Set when the job is removed, with its outputs and, unless another job uses it, its upload.
create function assay.set_expiry() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.expires_at := new.finished_at + make_interval(days => (assay.plan_of(new.owner)).retention_days);
    return new;
end $$;
create trigger set_expiry before update of status on assay.jobs
    for each row when (new.finished_at is distinct from old.finished_at)
    execute function assay.set_expiry();

-- A job as the API returns it. Frequently called functions are in PL/pgSQL, which caches query plans; a function in SQL
-- plans its queries at each call.
create function assay.job_json(p_job assay.jobs) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
    return jsonb_build_object(
        'job_id', p_job.job_id, 'status', p_job.status, 'filename', p_job.filename,
        'sha256', (select u.sha256 from assay.uploads u where u.upload_id = p_job.upload_id),
        'size_bytes', p_job.size_bytes, 'requested_dataset_type', p_job.requested_dataset_type,
        'type_choice', case when p_job.chosen_at is not null then jsonb_build_object(
            'dataset_type', p_job.chosen_dataset_type, 'parameters', p_job.chosen_parameters,
            'chosen_by', p_job.chosen_by, 'chosen_at', p_job.chosen_at) end,
        'dataset_type', p_job.dataset_type,
        'pipeline', p_job.pipeline, 'pipeline_version', p_job.pipeline_version, 'parameters', p_job.parameters,
        'progress', round(p_job.progress::numeric, 4), 'stage', p_job.stage, 'detection', p_job.detection,
        'error', p_job.error, 'summary', p_job.summary, 'manifest_sha256', p_job.manifest_sha256,
        'cancel_requested', p_job.cancel_requested, 'created_at', p_job.created_at,
        'started_at', p_job.started_at, 'finished_at', p_job.finished_at, 'expires_at', p_job.expires_at,
        'cost', p_job.cost);
end $$;

revoke execute on all functions in schema assay from public;
grant execute on function assay.job_json to authenticated;
