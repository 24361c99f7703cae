-- Assay's own state. The schema is private: the Data API does not expose it, and only the functions in `public` change it.

create schema assay;
revoke all on schema assay from public;
grant usage on schema assay to authenticated, service_role;

-- The bytes that a client sent, known by their SHA-256: one row per owner and hash.
create table assay.uploads (
    upload_id   uuid primary key default gen_random_uuid(),
    owner       uuid not null,
    sha256      text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes  bigint not null check (size_bytes > 0),  -- as last announced
    filename    text not null check (length(filename) between 1 and 255),  -- as last sent
    first_seen  timestamptz not null default now(),
    last_used   timestamptz not null default now(),
    times_used  integer not null default 1 check (times_used > 0),
    unique (owner, sha256)
);

-- One analysis of one upload by one version of one pipeline with one set of parameters.
create table assay.jobs (
    job_id                 uuid primary key default gen_random_uuid(),
    owner                  uuid not null,
    upload_id              uuid not null references assay.uploads on delete cascade,
    filename               text not null check (length(filename) between 1 and 255 and filename !~ '[/\\[:cntrl:]]'),
    size_bytes             bigint not null check (size_bytes > 0),  -- as announced; the worker compares
    requested_dataset_type text check (requested_dataset_type ~ '^[a-z][a-z0-9_]{0,62}$'),
    parameters             jsonb not null default '{}' check (
        jsonb_typeof(parameters) = 'object' and octet_length(parameters::text) <= 131072),
    status                 text not null default 'awaiting_upload' check (status in (
        'awaiting_upload', 'queued', 'running', 'needs_type', 'done', 'failed', 'cancelled', 'expired')),
    attempt                integer not null default 0 check (attempt between 0 and max_attempts),  -- the fencing token
    max_attempts           integer not null default 3 check (max_attempts > 0),
    lease_expires_at       timestamptz,
    run_after              timestamptz not null default now(),
    cancel_requested       boolean not null default false,
    progress               real not null default 0 check (progress between 0 and 1),
    stage                  text,
    dataset_type           text,
    pipeline               text,
    pipeline_version       text,
    detection              jsonb,
    summary                jsonb,
    error                  jsonb check (error is null or (error ? 'code' and error ? 'detail' and error ? 'suggestion')),
    manifest_sha256        text check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
    created_at             timestamptz not null default now(),
    started_at             timestamptz,
    finished_at            timestamptz,
    check ((status = 'running') = (lease_expires_at is not null)),
    check ((status in ('done', 'failed', 'cancelled', 'expired')) = (finished_at is not null)),
    check (status <> 'failed' or error is not null),
    check (status <> 'done' or (pipeline is not null and pipeline_version is not null and manifest_sha256 is not null))
);

-- At most one job of a kind is under way: the index is the lock that makes two identical uploads at once one job.
create unique index jobs_one_under_way on assay.jobs
    (upload_id, coalesce(requested_dataset_type, ''), md5(parameters::text))
    where status in ('awaiting_upload', 'queued', 'running', 'needs_type') and not cancel_requested;
create index jobs_to_sweep on assay.jobs (status, lease_expires_at, run_after)
    where status in ('awaiting_upload', 'queued', 'running');
create index jobs_by_upload on assay.jobs (upload_id, created_at desc);
create index jobs_by_owner on assay.jobs (owner, created_at desc, job_id desc);
create index jobs_by_owner_and_status on assay.jobs (owner, status, created_at desc, job_id desc);

-- One try at a job.
create table assay.attempts (
    job_id     uuid not null references assay.jobs on delete cascade,
    attempt    integer not null check (attempt > 0),
    owner      uuid not null,
    worker     text not null,
    started_at timestamptz not null default now(),
    ended_at   timestamptz,
    outcome    text check (outcome in ('done', 'failed', 'retry', 'needs_type', 'cancelled', 'lost')),
    error      jsonb,
    primary key (job_id, attempt),
    check ((outcome is null) = (ended_at is null))
);
create unique index attempts_one_live on assay.attempts (job_id) where outcome is null;
create index attempts_by_owner on assay.attempts (owner);

-- One file that a job produced. Rows appear when the job is done, all at once, and never change.
create table assay.outputs (
    output_id  uuid primary key default gen_random_uuid(),
    job_id     uuid not null,
    attempt    integer not null,
    owner      uuid not null,
    position   integer not null check (position > 0),  -- in the order of the pipeline
    name       text not null check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
    media_type text not null,
    object_key text not null unique,
    size_bytes bigint not null check (size_bytes >= 0),
    sha256     text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    created_at timestamptz not null default now(),
    unique (job_id, name),
    foreign key (job_id, attempt) references assay.attempts on delete cascade
);
create index outputs_by_owner on assay.outputs (owner);

-- What happened to a job, in order.
create table assay.job_events (
    event_id bigint generated always as identity primary key,
    job_id   uuid not null references assay.jobs on delete cascade,
    owner    uuid not null,
    attempt  integer not null,
    event    text not null,
    at       timestamptz not null default clock_timestamp(),
    details  jsonb not null default '{}'
);
create index job_events_by_job on assay.job_events (job_id, event_id);
create index job_events_by_owner on assay.job_events (owner);

-- Which status may follow which. A change that is not listed here is a bug in a function below, and is refused.
create function assay.guard_status() returns trigger
language plpgsql set search_path = '' as $$
begin
    if (old.status, new.status) not in (
        ('awaiting_upload', 'queued'), ('awaiting_upload', 'cancelled'), ('awaiting_upload', 'expired'),
        ('queued', 'running'), ('queued', 'cancelled'),
        ('running', 'queued'), ('running', 'needs_type'),
        ('running', 'done'), ('running', 'failed'), ('running', 'cancelled'),
        ('needs_type', 'queued'), ('needs_type', 'cancelled')
    ) then
        raise exception 'a job cannot go from % to %', old.status, new.status using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger guard_status before update of status on assay.jobs
    for each row execute function assay.guard_status();

create function assay.record_status() returns trigger
language plpgsql set search_path = '' as $$
begin
    insert into assay.job_events (job_id, owner, attempt, event, details)
    values (new.job_id, new.owner, new.attempt, new.status, jsonb_strip_nulls(jsonb_build_object('error', new.error)));
    return null;
end $$;
create trigger record_new_job after insert on assay.jobs
    for each row execute function assay.record_status();
create trigger record_status after update of status on assay.jobs
    for each row execute function assay.record_status();

create function assay.refuse_change() returns trigger
language plpgsql set search_path = '' as $$
begin
    raise exception '% rows never change', tg_table_name using errcode = 'check_violation';
end $$;
create trigger outputs_never_change before update on assay.outputs
    for each row execute function assay.refuse_change();

revoke execute on all functions in schema assay from public;

-- Owners read what is theirs; nobody writes but through the functions in `public`.
alter table assay.uploads enable row level security;
alter table assay.jobs enable row level security;
alter table assay.attempts enable row level security;
alter table assay.outputs enable row level security;
alter table assay.job_events enable row level security;
grant select on all tables in schema assay to authenticated;
create policy owner_reads on assay.uploads for select to authenticated using (owner = (select auth.uid()));
create policy owner_reads on assay.jobs for select to authenticated using (owner = (select auth.uid()));
create policy owner_reads on assay.attempts for select to authenticated using (owner = (select auth.uid()));
create policy owner_reads on assay.outputs for select to authenticated using (owner = (select auth.uid()));
create policy owner_reads on assay.job_events for select to authenticated using (owner = (select auth.uid()));
