-- Version 0.1.0: everything in supabase/schemas, in order.

set lock_timeout = '5s';
set statement_timeout = '30s';

-- Assay's tables and helper functions. The Data API does not expose this schema: clients call the functions in
-- `public`, and only those change the tables.

create schema assay;
revoke all on schema assay from public;
grant usage on schema assay to authenticated, service_role;

-- Raise an error that every transport converts to problem details. The SQLSTATE is PT<status>, which PostgREST converts
-- to that HTTP status; the message is the detail, DETAIL the code and HINT the suggestion. A code may be followed by a
-- space and the seconds to wait before a retry.
create function assay.raise_problem(p_status integer, p_code text, p_detail text, p_suggestion text) returns void
language plpgsql set search_path = '' as $$
begin
    raise exception using errcode = 'PT' || p_status, message = p_detail, detail = p_code, hint = p_suggestion;
end $$;

-- The signed-in user. Raises a problem (401) if there is none.
create function assay.signed_in_owner() returns uuid
language plpgsql stable set search_path = '' as $$
begin
    if auth.uid() is null then
        perform assay.raise_problem(401, 'not_signed_in', 'The request has no signed-in user.',
            'Send a valid access token.');
    end if;
    return auth.uid();
end $$;

revoke execute on all functions in schema assay from public;
grant execute on function assay.raise_problem to authenticated;

-- Plans set limits. Each owner has a plan and a usage.

-- The limits. To change one, update its row.
create table assay.plans (
    plan             text primary key,
    running_jobs     integer not null check (running_jobs > 0),      -- at once
    uploads_per_hour integer not null check (uploads_per_hour > 0),  -- new jobs only
    stored_bytes     bigint not null check (stored_bytes > 0),       -- uploads (declared size) and outputs
    retention_days   integer not null check (retention_days > 0)     -- from the end of a job to its removal
);
alter table assay.plans enable row level security;
insert into assay.plans (plan, running_jobs, uploads_per_hour, stored_bytes, retention_days) values
    ('free', 2, 60, 5368709120, 30),
    ('pro', 10, 600, 107374182400, 180),
    ('enterprise', 50, 10000, 2199023255552, 730);

-- An owner without a row has the plan `free` and stores nothing.
create table assay.owners (
    owner         uuid primary key,
    plan          text not null default 'free' references assay.plans,
    stored_bytes  bigint not null default 0 check (stored_bytes >= 0),  -- updated by triggers on uploads and outputs
    uploads_until timestamptz not null default '-infinity'  -- the "theoretical arrival time" of assay.admit
);
create index owners_by_plan on assay.owners (plan);
alter table assay.owners enable row level security;

-- An owner's plan.
create function assay.plan_of(p_owner uuid) returns assay.plans
language plpgsql stable set search_path = '' as $$
declare
    v_plan assay.plans;
begin
    select * into v_plan from assay.plans
    where plan = coalesce((select o.plan from assay.owners o where o.owner = p_owner), 'free');
    return v_plan;
end $$;

-- Add to an owner's stored bytes. Called by triggers, so that no function has to.
create function assay.hold(p_owner uuid, p_bytes bigint) returns void
language plpgsql set search_path = '' as $$
begin
    update assay.owners set stored_bytes = stored_bytes + p_bytes where owner = p_owner;
    if not found then
        insert into assay.owners as o (owner, stored_bytes) values (p_owner, p_bytes)
        on conflict (owner) do update set stored_bytes = o.stored_bytes + excluded.stored_bytes;
    end if;
end $$;

-- Count one more job of the owner, or raise a problem (429) that names the limit. The hourly limit is a GCRA: it allows
-- a burst and refills evenly (https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm). The owner's row stays locked
-- until the transaction ends, so call this last.
create function assay.admit(p_owner uuid) returns void
language plpgsql set search_path = '' as $$
declare
    v_now timestamptz;
    v_plan assay.plans;
    v_owner assay.owners;
    v_until timestamptz;
    v_seconds integer;
begin
    insert into assay.owners (owner) values (p_owner) on conflict do nothing;
    select * into v_owner from assay.owners where owner = p_owner for update;
    select * into v_plan from assay.plans where plan = v_owner.plan;
    v_now := clock_timestamp();
    if v_owner.stored_bytes > v_plan.stored_bytes then
        perform assay.raise_problem(429, 'storage_limit 3600',
            format('Your plan "%s" stores up to %s bytes; with this file you would have %s.',
                v_plan.plan, v_plan.stored_bytes, v_owner.stored_bytes),
            'Delete jobs that you no longer need (DELETE /jobs/{job_id}), or ask for a larger plan.');
    end if;
    v_until := greatest(v_owner.uploads_until, v_now) + interval '1 hour' / v_plan.uploads_per_hour;
    if v_until > v_now + interval '1 hour' then
        v_seconds := ceil(extract(epoch from v_until - v_now - interval '1 hour'));
        perform assay.raise_problem(429, 'uploads_limit ' || v_seconds,
            format('Your plan "%s" allows %s uploads an hour.', v_plan.plan, v_plan.uploads_per_hour),
            format('Try again in %s seconds, or ask for a larger plan.', v_seconds));
    end if;
    update assay.owners set uploads_until = v_until where owner = p_owner;
end $$;

-- Set an owner's plan. Its limits apply immediately, and the used fraction of the hourly limit is kept. Ended jobs are
-- kept as long as the new plan says, and for at least another week.
create function public.set_plan(p_owner uuid, p_plan text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_old assay.plans := assay.plan_of(p_owner);
    v_new assay.plans;
begin
    select * into v_new from assay.plans where plan = p_plan;
    if not found then
        perform assay.raise_problem(422, 'unknown_plan', 'There is no such plan.',
            'Choose one of: ' || (select string_agg(plan, ', ' order by running_jobs) from assay.plans) || '.');
    end if;
    -- Lock order: jobs before the owner, the oldest job first. A job that ends meanwhile still gets the old plan's
    -- retention; clean_up checks again before it removes a job.
    perform from assay.jobs where owner = p_owner and finished_at is not null order by created_at, job_id for update;
    update assay.jobs set expires_at = greatest(
        finished_at + make_interval(days => v_new.retention_days), now() + interval '7 days')
    where owner = p_owner and finished_at is not null;
    insert into assay.owners as o (owner, plan) values (p_owner, p_plan)
    on conflict (owner) do update set plan = excluded.plan,
        uploads_until = now() + least(interval '1 hour',
            (greatest(o.uploads_until, now()) - now()) * v_old.uploads_per_hour / v_new.uploads_per_hour);
    return jsonb_build_object('owner', p_owner, 'plan', p_plan);
end $$;

revoke execute on all functions in schema assay from public;
revoke execute on function public.set_plan from public, anon, authenticated, service_role;
grant execute on function public.set_plan to service_role;

-- Uploads: the files that owners sent, identified by SHA-256.

create table assay.uploads (
    upload_id   uuid primary key default gen_random_uuid(),
    owner       uuid not null,
    sha256      text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes  bigint not null check (size_bytes > 0),  -- the declared size; see register_upload
    filename    text not null check (length(filename) between 1 and 255),  -- the name last given
    first_seen  timestamptz not null default now(),
    last_used   timestamptz not null default now(),
    times_used  integer not null default 1 check (times_used > 0),
    stored_at   timestamptz,  -- when the object store last reported the file; null: it must be sent
    unique (owner, sha256)
);

alter table assay.uploads enable row level security;
create policy owner_reads on assay.uploads for select to authenticated using (owner = (select auth.uid()));
grant select on assay.uploads to authenticated;

-- Update the owner's stored bytes.
create function assay.hold_upload() returns trigger
language plpgsql set search_path = '' as $$
begin
    if tg_op = 'DELETE' then
        perform assay.hold(old.owner, -old.size_bytes);
    elsif tg_op = 'INSERT' then
        perform assay.hold(new.owner, new.size_bytes);
    else
        perform assay.hold(new.owner, new.size_bytes - old.size_bytes);
    end if;
    return null;
end $$;
create trigger hold_upload after insert or delete on assay.uploads
    for each row execute function assay.hold_upload();
create trigger hold_upload_of_other_size after update of size_bytes on assay.uploads
    for each row when (new.size_bytes <> old.size_bytes) execute function assay.hold_upload();

-- Lock an upload's key until the transaction ends. Call this before locking any row. The registration of an upload and
-- the report of its arrival are then serialized, and each sees the other's writes. Row locks are not enough, because
-- neither row may exist yet.
create function assay.lock_bytes(p_key text) returns void
language plpgsql set search_path = '' as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('assay.uploads ' || p_key, 0));
end $$;

revoke execute on all functions in schema assay from public;

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

-- Attempts: an attempt is one try at a job by one worker.

create table assay.attempts (
    job_id     uuid not null references assay.jobs on delete cascade,
    attempt    integer not null check (attempt > 0),
    owner      uuid not null,
    worker     text not null,  -- one invocation of one worker
    memory_mb  integer not null check (memory_mb > 0),  -- of the worker
    started_at timestamptz not null default now(),
    ended_at   timestamptz,
    -- retry: it failed and the job was queued again; lost: its lease expired; superseded: another dataset type was
    -- chosen while it ran. The other values are the job's new status.
    outcome    text check (outcome in (
        'done', 'failed', 'retry', 'needs_type', 'cancelled', 'lost', 'superseded')),
    error      jsonb,
    primary key (job_id, attempt),
    check ((outcome is null) = (ended_at is null))
);
create unique index attempts_one_live on assay.attempts (job_id) where outcome is null;
create index attempts_by_live_worker on assay.attempts (worker) where outcome is null;
create index attempts_by_owner on assay.attempts (owner);

alter table assay.attempts enable row level security;
create policy owner_reads on assay.attempts for select to authenticated using (owner = (select auth.uid()));
grant select on assay.attempts to authenticated;

-- Delete the outputs of an attempt that did not end as done. A lost or superseded worker may continue to store outputs
-- until Lambda ends it, at most 15 minutes after it started.
create function assay.delete_outputs_of(p_attempt assay.attempts) returns void
language plpgsql set search_path = '' as $$
begin
    if p_attempt.outcome in ('failed', 'retry', 'cancelled', 'lost', 'superseded') then
        perform assay.delete_later(
            'outputs/' || p_attempt.owner || '/' || p_attempt.job_id || '/' || p_attempt.attempt || '/',
            now() + case when p_attempt.outcome in ('lost', 'superseded') then interval '15 minutes' else '0' end,
            false);
    end if;
end $$;

create function assay.end_attempt(p_job_id uuid, p_attempt integer, p_outcome text, p_error jsonb) returns void
language plpgsql set search_path = '' as $$
declare
    v_attempt assay.attempts;
begin
    update assay.attempts set ended_at = clock_timestamp(), outcome = p_outcome, error = p_error
    where job_id = p_job_id and attempt = p_attempt and outcome is null returning * into v_attempt;
    perform assay.delete_outputs_of(v_attempt);
end $$;

-- End a running job whose lease has expired, or queue it again.
create function assay.settle_lost(p_job assay.jobs) returns assay.jobs
language plpgsql set search_path = '' as $$
declare
    v_job assay.jobs;
    v_now timestamptz := clock_timestamp();
    v_status text := case
        when p_job.cancel_requested then 'cancelled'
        when p_job.attempt >= p_job.max_attempts then 'failed'
        else 'queued' end;
begin
    perform assay.end_attempt(p_job.job_id, p_job.attempt, 'lost', jsonb_build_object(
        'code', 'worker_lost', 'detail', 'The worker sent no heartbeat before its lease expired.',
        'suggestion', 'No action is needed: the job is retried while it has attempts left.'));
    update assay.jobs set status = v_status, lease_expires_at = null, run_after = v_now,
        stage = case when v_status = 'queued' then 'waiting for a worker' end,
        finished_at = case when v_status <> 'queued' then v_now end,
        error = case when v_status = 'failed' then jsonb_build_object(
            'code', 'attempts_exhausted',
            'detail', format('The job had %s attempts; the worker of the last one was lost.',
                p_job.attempt - p_job.attempts_before),
            'suggestion', 'Retry with POST /jobs/{job_id}/retry. If the file is very large, split it.') end
    where job_id = p_job.job_id returning * into v_job;
    return v_job;
end $$;

revoke execute on all functions in schema assay from public;

-- Outputs: the files that a job produced. All rows of a job are inserted together when it is done, and never change.

create table assay.outputs (
    output_id  uuid primary key default gen_random_uuid(),
    job_id     uuid not null,
    attempt    integer not null,
    owner      uuid not null,
    position   integer not null check (position > 0),  -- the order in which the pipeline wrote them
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
create index outputs_by_attempt on assay.outputs (job_id, attempt);

alter table assay.outputs enable row level security;
create policy owner_reads on assay.outputs for select to authenticated using (owner = (select auth.uid()));
grant select on assay.outputs to authenticated;

create function assay.refuse_change() returns trigger
language plpgsql set search_path = '' as $$
begin
    raise exception '% rows never change', tg_table_name using errcode = 'check_violation';
end $$;
create trigger outputs_never_change before update on assay.outputs
    for each row execute function assay.refuse_change();

-- Update the owners' stored bytes.
create function assay.hold_outputs() returns trigger
language plpgsql set search_path = '' as $$
begin
    -- Lock order: owners are locked in the order of their ids.
    perform assay.hold(made.owner, made.size_bytes * case tg_op when 'DELETE' then -1 else 1 end)
    from (select c.owner, sum(c.size_bytes)::bigint as size_bytes from changed c
          group by c.owner order by c.owner) made;
    return null;
end $$;
create trigger hold_new_outputs after insert on assay.outputs referencing new table as changed
    for each statement execute function assay.hold_outputs();
create trigger hold_no_longer after delete on assay.outputs referencing old table as changed
    for each statement execute function assay.hold_outputs();

revoke execute on all functions in schema assay from public;

-- Job events: the history of a job, in order. `event` is the new status, or `type_chosen`.

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

alter table assay.job_events enable row level security;
create policy owner_reads on assay.job_events for select to authenticated using (owner = (select auth.uid()));
grant select on assay.job_events to authenticated;

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

revoke execute on all functions in schema assay from public;

-- Deletions: objects to delete from the object store. A key is written in the transaction that removes its row, so rows
-- are removed before their objects. Only the functions below read this table.

create table assay.deletions (
    object_key text primary key,  -- or a prefix, which ends in a slash
    due_at     timestamptz not null,
    taken_at   timestamptz,       -- when a worker started to delete it; null: not started
    reusable   boolean not null default false,  -- an upload that a registration before due_at can still use
    again      boolean not null default false   -- an object was stored after taken_at: delete again
);
create index deletions_by_due on assay.deletions (due_at);
alter table assay.deletions enable row level security;

-- Schedule a deletion. A deletion that has started is not changed, because it may still delete new objects.
create function assay.delete_later(p_key text, p_due_at timestamptz, p_reusable boolean) returns void
language plpgsql set search_path = '' as $$
begin
    insert into assay.deletions as d (object_key, due_at, reusable) values (p_key, p_due_at, p_reusable)
    on conflict (object_key) do update set
        due_at = case when d.taken_at is null then excluded.due_at else d.due_at end,
        reusable = d.taken_at is null and excluded.reusable,
        again = d.taken_at is not null;
end $$;

-- Remove a job with everything that belongs to it, and its upload unless another job uses it. The worker of a running
-- job is told at its next write; outputs that it stores until then are deleted later.
create function assay.remove_job(p_job_id uuid) returns void
language plpgsql set search_path = '' as $$
declare
    v_upload assay.uploads;
    v_job assay.jobs;
begin
    -- Lock order, as in register_upload: the upload before the job.
    select u.* into v_upload from assay.uploads u join assay.jobs j using (upload_id) where j.job_id = p_job_id
    for update of u;
    delete from assay.jobs where job_id = p_job_id returning * into v_job;
    if v_job.job_id is null then
        return;
    end if;
    if v_job.attempt > 0 then
        perform assay.delete_later('outputs/' || v_job.owner || '/' || v_job.job_id || '/',
            now() + case when v_job.status = 'running' then interval '20 minutes' else interval '0' end, false);
    end if;
    if not exists (select from assay.jobs where upload_id = v_upload.upload_id) then
        delete from assay.uploads where upload_id = v_upload.upload_id;
        perform assay.delete_later('uploads/' || v_upload.owner || '/' || v_upload.sha256, now(),
            v_upload.stored_at is not null);
    end if;
end $$;

-- Delete one of the caller's jobs, whatever its status. Raises a problem (404).
create function public.delete_job(p_job_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
begin
    if not exists (select from assay.jobs where job_id = p_job_id and owner = v_owner) then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
    perform assay.remove_job(p_job_id);
    return jsonb_build_object('deleted', true);
end $$;

-- Remove at most 500 expired jobs, then return at most 1,000 keys and prefixes to delete: {"removed", "keys"}. A key
-- that is not reported to objects_deleted is returned again after p_quiet_seconds. That must be longer than a worker
-- can run; otherwise a worker could delete a newer upload. Concurrent calls never get the same key.
create function public.clean_up(p_quiet_seconds integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_removed integer;
    v_keys jsonb;
begin
    -- Lock order: owners are locked in the order of their ids. The plan may have changed while the job ended.
    with expired as (
        select j.job_id, j.owner, j.finished_at from assay.jobs j join assay.uploads u using (upload_id)
        where j.expires_at < now() order by j.expires_at limit 500 for update of u, j skip locked
    ), looked_at as (
        select e.job_id, e.finished_at + make_interval(days => (assay.plan_of(e.owner)).retention_days) as expires_at
        from (select * from expired order by owner, job_id) e
    ), kept as (
        update assay.jobs j set expires_at = l.expires_at from looked_at l
        where j.job_id = l.job_id and l.expires_at > now()
    ), removed as (
        select assay.remove_job(l.job_id) from looked_at l where l.expires_at <= now()
    )
    select count(*) into v_removed from removed;

    with due as (
        select d.object_key from assay.deletions d
        where d.due_at <= now() and (d.taken_at is null or d.taken_at < now() - make_interval(secs => p_quiet_seconds))
        order by d.due_at limit 1000 for update skip locked
    ), taken as (
        update assay.deletions d set taken_at = now(), again = false from due where d.object_key = due.object_key
        returning d.object_key
    )
    select coalesce(jsonb_agg(t.object_key order by t.object_key), '[]') into v_keys from taken t;
    return jsonb_build_object('removed', v_removed, 'keys', v_keys);
end $$;

-- Report that the objects under these keys and prefixes (an array) are deleted: {"forgotten"}. A key under which an
-- object was stored meanwhile is kept and returned again.
create function public.objects_deleted(p_keys jsonb) returns jsonb
language sql security definer set search_path = '' as $$
    with again as (
        update assay.deletions d set taken_at = null, again = false
        from jsonb_array_elements_text(p_keys) k (object_key)
        where d.object_key = k.object_key and d.again
    ), gone as (
        delete from assay.deletions d using jsonb_array_elements_text(p_keys) k (object_key)
        where d.object_key = k.object_key and d.taken_at is not null and not d.again returning 1
    )
    select jsonb_build_object('forgotten', (select count(*) from gone))
$$;

revoke execute on all functions in schema assay from public;
revoke execute on function public.delete_job, public.clean_up, public.objects_deleted
    from public, anon, authenticated, service_role;
grant execute on function public.delete_job to authenticated;
grant execute on function public.clean_up, public.objects_deleted to service_role;

-- Costs: the cost of a job at list prices, estimated when an attempt ends.

-- For another region or a discount, change usd and as_of. Jobs that have ended keep their cost.
create table assay.list_prices (
    item   text primary key,
    usd    numeric not null check (usd >= 0 and usd < 'infinity'),  -- per unit; NaN sorts after infinity
    unit   text not null,
    source text not null,
    as_of  date not null
);
alter table assay.list_prices enable row level security;
insert into assay.list_prices (item, usd, unit, as_of, source) values
    ('lambda_gb_second', 0.0000133334, 'GB-second', '2026-11-21',
        'https://aws.amazon.com/lambda/pricing/ (us-east-1, arm64, first tier)'),
    ('lambda_request', 0.0000002, 'request', '2026-11-21',
        'https://aws.amazon.com/lambda/pricing/ (us-east-1, 0.20 a million)'),
    ('sqs_request', 0.0000004, 'request', '2026-11-21',
        'https://aws.amazon.com/sqs/pricing/ (us-east-1, standard queue, 0.40 a million)'),
    ('s3_put', 0.000005, 'request', '2026-11-21',
        'https://aws.amazon.com/s3/pricing/ (us-east-1, Standard, 0.005 a thousand)'),
    ('s3_get', 0.0000004, 'request', '2026-11-21',
        'https://aws.amazon.com/s3/pricing/ (us-east-1, Standard, 0.0004 a thousand)'),
    ('s3_gb_month', 0.023, 'GB-month', '2026-11-21',
        'https://aws.amazon.com/s3/pricing/ (us-east-1, Standard, first 50 TB)');

-- The estimate for all attempts that have ended: {"currency", "total", "compute", "requests", "storage_month",
-- "gb_seconds", "request_count", "stored_bytes", "prices_as_of"}. Amounts are in USD. A GB is 2^30 bytes, as on AWS's
-- bills. prices_as_of is the date of the oldest price. Null if no attempt has ended or a price is missing.
--   compute        time x memory of each attempt, from claim to end; a lost attempt counts at most 15 minutes,
--                  Lambda's limit
--   requests       Lambda: one to register, one for the object store's event, one per attempt
--                  SQS: three (send, receive, delete) for that event and three per attempt
--                  S3: one PUT for the upload and one per output, one GET per attempt
--   storage_month  the upload and the outputs for one month, in S3 Standard
-- Not counted: API Gateway, the other functions' time, a worker's time before its claim, /tmp beyond 512 MB, data
-- transfer, logs, Supabase.
create function assay.job_cost(p_job assay.jobs) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
    v_attempts bigint;
    v_gb_seconds numeric;
    v_outputs bigint;
    v_stored_bytes numeric;
    v_usd jsonb;
    v_as_of date;
    v_compute numeric;
    v_requests numeric;
    v_storage_month numeric;
begin
    select count(*), sum(greatest(least(extract(epoch from a.ended_at - a.started_at), 900), 0) * a.memory_mb / 1024)
    into v_attempts, v_gb_seconds from assay.attempts a where a.job_id = p_job.job_id and a.ended_at is not null;
    select count(*), p_job.size_bytes + coalesce(sum(o.size_bytes), 0)
    into v_outputs, v_stored_bytes from assay.outputs o where o.job_id = p_job.job_id;
    select jsonb_object_agg(p.item, p.usd), min(p.as_of) into v_usd, v_as_of from assay.list_prices p
    where p.item in ('lambda_gb_second', 'lambda_request', 'sqs_request', 's3_put', 's3_get', 's3_gb_month');

    v_compute := round(v_gb_seconds * (v_usd ->> 'lambda_gb_second')::numeric, 10);
    v_requests := round((2 + v_attempts) * (v_usd ->> 'lambda_request')::numeric
        + (3 + 3 * v_attempts) * (v_usd ->> 'sqs_request')::numeric
        + (1 + v_outputs) * (v_usd ->> 's3_put')::numeric + v_attempts * (v_usd ->> 's3_get')::numeric, 10);
    v_storage_month := round(v_stored_bytes / 1073741824 * (v_usd ->> 's3_gb_month')::numeric, 10);
    if v_compute + v_requests + v_storage_month is null then
        return null;
    end if;
    return jsonb_build_object('currency', 'USD', 'total', v_compute + v_requests + v_storage_month,
        'compute', v_compute, 'requests', v_requests, 'storage_month', v_storage_month,
        'gb_seconds', round(v_gb_seconds, 6), 'request_count', 6 + 5 * v_attempts + v_outputs,
        'stored_bytes', v_stored_bytes, 'prices_as_of', v_as_of);
end $$;

-- Every function that ends an attempt writes the attempt and the outputs before the job, so the estimate includes them.
create function assay.set_cost() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.cost := assay.job_cost(new);
    return new;
end $$;
create trigger set_cost before update of status on assay.jobs
    for each row when (old.status = 'running' and new.status <> 'running')
    execute function assay.set_cost();

revoke execute on all functions in schema assay from public;

-- Outbox: new objects in Supabase Storage, which sends no notifications. A trigger writes each upload here in the
-- transaction that makes the object visible, so that none is lost. The worker drains the table on a hint of the
-- webhook, and once a minute. Only the functions below read this table.

-- One row per object under uploads/ that no worker has processed yet.
create table assay.outbox (
    object_key text primary key,
    written_at timestamptz not null default clock_timestamp(),  -- when the object was last written
    told_at    timestamptz  -- when the key was last sent to the queue; null: not since the object was written
);
create index outbox_by_age on assay.outbox (written_at);
alter table assay.outbox enable row level security;

-- SECURITY DEFINER, because a user who uploads has no rights to the outbox. It writes to no other table: the storage
-- server checks whether a user may upload with an INSERT that it rolls back. An overwrite is an UPDATE.
create function assay.note_object() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    insert into assay.outbox as o (object_key) values (new.name)
    on conflict (object_key) do update set written_at = clock_timestamp(), told_at = null;
    return null;
end $$;

-- Remove an object that was deleted or renamed. No worker can process it, so its key would be sent forever.
create function assay.forget_object() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    delete from assay.outbox where object_key = old.name;
    return null;
end $$;

-- Triggers need only the TRIGGER privilege on storage.objects, the only one that a hosted project grants. For the same
-- reason they have no COMMENT.
create trigger assay_note_object after insert or update on storage.objects
    for each row when (new.bucket_id = 'assay' and new.name like 'uploads/%')
    execute function assay.note_object();
create trigger assay_forget_object after delete on storage.objects
    for each row when (old.bucket_id = 'assay' and old.name like 'uploads/%')
    execute function assay.forget_object();
create trigger assay_forget_old_name after update on storage.objects
    for each row when (
        old.bucket_id = 'assay' and old.name like 'uploads/%'
        and (new.bucket_id, new.name) is distinct from (old.bucket_id, old.name))
    execute function assay.forget_object();

-- The keys to send to the queue, oldest first, at most 1,000: keys that were never sent, and keys that were sent more
-- than p_quiet_seconds ago but not processed, whose message may be lost. Concurrent calls never get the same key. If
-- this answer is lost, its keys are returned again after p_quiet_seconds.
create function public.drain_outbox(p_quiet_seconds integer) returns jsonb
language sql security definer set search_path = '' as $$
    with due as (
        select o.object_key from assay.outbox o
        where o.told_at is null or o.told_at < clock_timestamp() - make_interval(secs => p_quiet_seconds)
        order by o.written_at limit 1000 for update skip locked
    ), told as (
        update assay.outbox o set told_at = clock_timestamp() from due where o.object_key = due.object_key
        returning o.object_key, o.written_at
    )
    select jsonb_build_object('keys', coalesce(jsonb_agg(t.object_key order by t.written_at, t.object_key), '[]'))
    from told t
$$;

revoke execute on all functions in schema assay from public;
revoke execute on function public.drain_outbox from public, anon, authenticated, service_role;
grant execute on function public.drain_outbox to service_role;

-- Commands: the changes that signed-in users make to uploads and jobs. SECURITY DEFINER, because users have no write
-- access to the tables. The owner is always the token's subject, never an argument.

-- Return an existing job for this upload, or create one. Concurrent calls create one job: the upload is locked first,
-- and the index jobs_one_under_way enforces it.
-- `cached` is true if nothing needs to be sent: the job is done, or its file is stored. A new job whose file is stored
-- is `queued`, and the caller sends a hint to the queue. p_pipeline_versions maps each pipeline to its current version;
-- results of older versions are not reused. A declared size is unverified until a worker has checked it. A different
-- size for the same SHA-256 is refused (409 size_mismatch) once the first was verified, and while a job waits for a
-- file of the first size. Otherwise the last declared size is used.
create function public.register_upload(
    p_filename text, p_size_bytes bigint, p_sha256 text, p_dataset_type text, p_parameters jsonb,
    p_on_duplicate text, p_pipeline_versions jsonb
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_upload assay.uploads;
    v_deletion assay.deletions;
    v_job assay.jobs;
begin
    if p_on_duplicate is null or p_on_duplicate not in ('reuse', 'reprocess') then
        perform assay.raise_problem(422, 'invalid_request', 'on_duplicate must be reuse or reprocess.',
            'Send "reuse" or "reprocess".');
    end if;

    perform assay.lock_bytes('uploads/' || v_owner || '/' || p_sha256);
    insert into assay.uploads as u (owner, sha256, size_bytes, filename)
    values (v_owner, p_sha256, p_size_bytes, p_filename)
    on conflict (owner, sha256) do update set
        last_used = now(), times_used = u.times_used + 1, filename = excluded.filename
    returning * into v_upload;
    if v_upload.size_bytes <> p_size_bytes then
        v_upload := assay.correct_size(v_upload, p_size_bytes);
    end if;

    if v_upload.stored_at is null then
        select * into v_deletion from assay.deletions
        where object_key = 'uploads/' || v_owner || '/' || p_sha256 for update;
        if v_deletion.taken_at is not null then
            -- A file sent now could be deleted a moment later.
            perform assay.raise_problem(503, 'being_deleted 5', 'An earlier upload of this file is being deleted.',
                'Try again in 5 seconds.');
        elsif v_deletion.object_key is not null then
            delete from assay.deletions where object_key = v_deletion.object_key;
            if v_deletion.reusable then
                update assay.uploads set stored_at = now() where upload_id = v_upload.upload_id
                returning * into v_upload;
                update assay.jobs set status = 'queued', run_after = now()
                where upload_id = v_upload.upload_id and status = 'awaiting_upload';
            end if;
        end if;
    end if;

    -- Settle jobs whose last worker was lost, so that they are not reused. A locked job is being written to.
    perform assay.settle_lost(lost.j) from (
        select j from assay.jobs j
        where j.upload_id = v_upload.upload_id and j.status = 'running' and j.lease_expires_at < now()
            and (j.cancel_requested or j.attempt >= j.max_attempts) for update skip locked) lost;

    select * into v_job from assay.jobs j
    where j.upload_id = v_upload.upload_id and not j.cancel_requested
        and j.requested_dataset_type is not distinct from p_dataset_type
        and j.parameters = p_parameters
        and (j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
            or (p_on_duplicate = 'reuse' and j.status = 'done'
                and p_pipeline_versions ->> j.pipeline = j.pipeline_version))
    order by (j.status = 'done') desc, j.created_at desc
    limit 1;

    if not found then
        insert into assay.jobs (owner, upload_id, filename, size_bytes, requested_dataset_type, parameters, status)
        values (v_owner, v_upload.upload_id, p_filename, v_upload.size_bytes, p_dataset_type, p_parameters,
            case when v_upload.stored_at is null then 'awaiting_upload' else 'queued' end)
        returning * into v_job;
        perform assay.admit(v_owner);
    end if;

    return jsonb_build_object(
        'cached', v_job.status <> 'awaiting_upload',
        'job', assay.job_json(v_job),
        'upload', jsonb_build_object(
            'sha256', v_upload.sha256, 'size_bytes', v_upload.size_bytes, 'filename', v_upload.filename,
            'first_seen', v_upload.first_seen, 'last_used', v_upload.last_used, 'times_used', v_upload.times_used,
            'jobs', (
                select coalesce(jsonb_agg(assay.job_json(latest) order by latest.created_at desc), '[]')
                from (select j.* from assay.jobs j where j.upload_id = v_upload.upload_id
                      order by j.created_at desc limit 10) latest)));
end $$;

-- Change the declared size of an upload, or raise a problem (409). A job with a detection or a result has verified it.
create function assay.correct_size(p_upload assay.uploads, p_size_bytes bigint) returns assay.uploads
language plpgsql set search_path = '' as $$
declare
    v_upload assay.uploads;
    v_job_id uuid;
begin
    if exists (
        select from assay.jobs j
        where j.upload_id = p_upload.upload_id and (j.detection is not null or j.status = 'done')
    ) then
        perform assay.raise_problem(409, 'size_mismatch',
            format('The file with this SHA-256 has %s bytes, not %s.', p_upload.size_bytes, p_size_bytes),
            'Send the size and the SHA-256 of the same file.');
    end if;
    select j.job_id into v_job_id from assay.jobs j
    where j.upload_id = p_upload.upload_id and not j.cancel_requested
        and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
    order by j.created_at limit 1;
    if found then
        perform assay.raise_problem(409, 'size_mismatch',
            format('A job is waiting for the file with this SHA-256 and %s bytes, not %s.',
                p_upload.size_bytes, p_size_bytes),
            format('Send the correct size. If %s is wrong, cancel that job first: POST /jobs/%s/cancel.',
                p_upload.size_bytes, v_job_id));
    end if;
    update assay.uploads set size_bytes = p_size_bytes where upload_id = p_upload.upload_id returning * into v_upload;
    return v_upload;
end $$;

-- Cancel a job. The worker of a running job is told at its next heartbeat. Idempotent.
create function public.cancel_job(p_job_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_job assay.jobs;
begin
    select * into v_job from assay.jobs where job_id = p_job_id and owner = v_owner for update;
    if not found then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
    if v_job.status in ('done', 'failed', 'expired') then
        perform assay.raise_problem(409, 'job_not_cancellable', 'The job is already ' || v_job.status || '.',
            'Only a job that has not ended can be cancelled.');
    elsif v_job.status = 'running' then
        update assay.jobs set cancel_requested = true where job_id = p_job_id returning * into v_job;
        if v_job.lease_expires_at < now() then
            v_job := assay.settle_lost(v_job);
        end if;
    elsif v_job.status <> 'cancelled' then
        update assay.jobs set status = 'cancelled', cancel_requested = true, finished_at = now()
        where job_id = p_job_id returning * into v_job;
    end if;
    return assay.job_json(v_job);
end $$;

-- Lock and return one of the caller's jobs with its upload. Raises a problem (404).
create function assay.lock_own_job(p_job_id uuid, out upload assay.uploads, out job assay.jobs)
language plpgsql set search_path = '' as $$
begin
    select u.* into upload from assay.uploads u join assay.jobs j using (upload_id)
    where j.job_id = p_job_id and j.owner = assay.signed_in_owner() for update of u;
    select * into job from assay.jobs where job_id = p_job_id and upload_id = upload.upload_id for update;
    if not found then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
end $$;

-- Raise a problem (409) unless the upload is in the object store.
create function assay.require_stored(p_upload assay.uploads) returns void
language plpgsql set search_path = '' as $$
begin
    if p_upload.stored_at is null then
        perform assay.raise_problem(409, 'bytes_missing', 'The file is not in the object store.',
            'Upload the file again with POST /uploads.');
    end if;
end $$;

-- Retry a failed or cancelled job, with as many attempts as a new job. The caller sends a hint to the queue.
create function public.retry_job(p_job_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_own record := assay.lock_own_job(p_job_id);
    v_upload assay.uploads := v_own.upload;
    v_job assay.jobs := v_own.job;
begin
    if v_job.status not in ('failed', 'cancelled') then
        perform assay.raise_problem(409, 'job_not_retryable', 'The job is ' || replace(v_job.status, '_', ' ') || '.',
            'Only a failed or cancelled job can be retried; '
            'for a done job use POST /jobs/{job_id}/reprocess.');
    end if;
    perform assay.require_stored(v_upload);
    if exists (
        select from assay.jobs j where j.upload_id = v_upload.upload_id and not j.cancel_requested
            and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
            and j.requested_dataset_type is not distinct from v_job.requested_dataset_type
            and j.parameters = v_job.parameters
    ) then
        perform assay.raise_problem(409, 'already_under_way', 'Another job is already doing the same with this file.',
            'Find it with GET /jobs, and wait for it.');
    end if;
    update assay.jobs set status = 'queued', error = null, cancel_requested = false, finished_at = null,
        run_after = now(), progress = 0, stage = null, attempts_before = attempt, max_attempts = attempt + 3
    where job_id = p_job_id returning * into v_job;
    perform assay.admit(v_job.owner);
    return assay.job_json(v_job);
end $$;

-- Process the file of a job again with the current pipeline: {"new", "job"}. Parameters and dataset type stay the same,
-- including chosen ones. Returns an equal unfinished job if there is one. The caller sends a hint to the queue.
create function public.reprocess_job(p_job_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_own record := assay.lock_own_job(p_job_id);
    v_upload assay.uploads := v_own.upload;
    v_job assay.jobs := v_own.job;
    v_new assay.jobs;
begin
    select * into v_new from assay.jobs j where j.upload_id = v_upload.upload_id and not j.cancel_requested
        and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
        and j.requested_dataset_type is not distinct from v_job.requested_dataset_type
        and j.parameters = v_job.parameters;
    if found then
        return jsonb_build_object('new', false, 'job', assay.job_json(v_new));
    end if;
    perform assay.require_stored(v_upload);
    insert into assay.jobs (owner, upload_id, filename, size_bytes, requested_dataset_type, parameters, status,
        chosen_dataset_type, chosen_parameters, chosen_by, chosen_at)
    values (v_job.owner, v_job.upload_id, v_job.filename, v_job.size_bytes, v_job.requested_dataset_type,
        v_job.parameters, 'queued', v_job.chosen_dataset_type, v_job.chosen_parameters, v_job.chosen_by,
        v_job.chosen_at)
    returning * into v_new;
    perform assay.admit(v_job.owner);
    return jsonb_build_object('new', true, 'job', assay.job_json(v_new));
end $$;

-- Choose a job's dataset type and its parameters (null: keep them). The job runs with them and with as many attempts as
-- a new job. The caller sends a hint to the queue. By status:
--   awaiting_upload, queued  it keeps its place in the queue, and is due immediately
--   needs_type               it is queued
--   running                  the attempt is superseded, and its worker is told at its next write; the job is queued
--   done                     its outputs, which are from another choice, are deleted; it is queued
--   failed, cancelled        it is queued
--   expired                  refused: there is no file
-- Repeating the same choice changes nothing, unless the job has failed or was cancelled. A job that had started counts
-- as another upload in the hourly limit, like a retry.
create function public.choose_type(p_job_id uuid, p_dataset_type text, p_parameters jsonb default null) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_own record := assay.lock_own_job(p_job_id);
    v_upload assay.uploads := v_own.upload;
    v_job assay.jobs := v_own.job;
    v_before text := coalesce(v_job.chosen_dataset_type, v_job.requested_dataset_type);
    v_parameters_before jsonb := coalesce(v_job.chosen_parameters, v_job.parameters);
    v_parameters jsonb := coalesce(p_parameters, v_parameters_before);
begin
    if p_dataset_type is null or p_dataset_type !~ '^[a-z][a-z0-9_]{0,62}$' then
        perform assay.raise_problem(422, 'unknown_dataset_type', 'There is no such dataset type.',
            'List them with GET /dataset-types.');
    elsif v_job.status = 'expired' then
        perform assay.raise_problem(409, 'bytes_missing', 'The file never arrived.',
            'Upload the file again with POST /uploads.');
    elsif v_before = p_dataset_type and v_parameters = v_parameters_before
        and v_job.status not in ('failed', 'cancelled') and not v_job.cancel_requested then
        return assay.job_json(v_job);
    end if;
    if v_job.status <> 'awaiting_upload' then
        perform assay.require_stored(v_upload);
    end if;
    if exists (
        select from assay.jobs j
        where j.upload_id = v_upload.upload_id and j.job_id <> p_job_id and not j.cancel_requested
            and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
            and j.requested_dataset_type is not distinct from v_job.requested_dataset_type
            and j.parameters = v_job.parameters
    ) then
        perform assay.raise_problem(409, 'already_under_way', 'Another job is already processing this file.',
            'Find it with GET /jobs, and choose its type.');
    end if;

    insert into assay.job_events (job_id, owner, attempt, event, details)
    values (p_job_id, v_job.owner, v_job.attempt, 'type_chosen', jsonb_build_object(
        'dataset_type', p_dataset_type, 'before', coalesce(v_job.dataset_type, v_before),
        'chosen_by', assay.signed_in_owner())
        || case when v_parameters = v_parameters_before then '{}'
            else jsonb_build_object('parameters', v_parameters) end);
    if v_job.status = 'running' then
        perform assay.end_attempt(p_job_id, v_job.attempt, 'superseded', jsonb_build_object(
            'code', 'type_chosen',
            'detail', 'Another dataset type, or other parameters, were chosen during the attempt.',
            'suggestion', 'No action is needed: the job runs again as chosen.'));
    elsif v_job.status = 'done' then
        delete from assay.outputs where job_id = p_job_id;
        perform assay.delete_later(
            'outputs/' || v_job.owner || '/' || p_job_id || '/' || v_job.attempt || '/', now(), false);
    end if;
    update assay.jobs set chosen_dataset_type = p_dataset_type, chosen_parameters = nullif(v_parameters, parameters),
        chosen_by = assay.signed_in_owner(), chosen_at = now(), attempts_before = attempt, max_attempts = attempt + 3
    where job_id = p_job_id;
    if v_job.status = 'queued' then
        update assay.jobs set run_after = least(run_after, now()), stage = null where job_id = p_job_id;
    elsif v_job.status <> 'awaiting_upload' then
        update assay.jobs set status = 'queued', lease_expires_at = null, error = null, cancel_requested = false,
            finished_at = null, run_after = now(), progress = 0, stage = null,
            dataset_type = null, pipeline = null, pipeline_version = null, summary = null, manifest_sha256 = null
        where job_id = p_job_id;
        if v_job.status <> 'needs_type' then
            perform assay.admit(v_job.owner);
        end if;
    end if;
    select * into v_job from assay.jobs where job_id = p_job_id;
    return assay.job_json(v_job);
end $$;

revoke execute on all functions in schema assay from public;
revoke execute on function public.register_upload, public.cancel_job, public.retry_job, public.reprocess_job,
    public.choose_type from public, anon, authenticated, service_role;
grant execute on function public.register_upload, public.cancel_job, public.retry_job, public.reprocess_job,
    public.choose_type to authenticated;

-- The worker's functions, called as service_role. A claim returns an attempt number, which every later write passes. A
-- write for an older attempt changes nothing and returns {"accepted": false, "reason": "stale_attempt"}. A call that is
-- repeated because its answer was lost returns the same answer.

-- A new object is stored under uploads/{owner}/{sha256}: queue the jobs that wait for it. Returns {"known", "noted",
-- "jobs", "queued"}. `jobs` are the unfinished jobs of that upload, so that a repeated event includes jobs that were
-- queued earlier; `queued` is the number of them that are queued. `known` is false if no such upload is registered. If
-- the key is valid, it is then `noted`: a registration within a day finds the file stored, otherwise it is deleted. The
-- key is removed from the outbox in any case.
create function public.object_created(p_key text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_upload_id uuid;
begin
    delete from assay.outbox where object_key = p_key;
    if p_key !~ '^uploads/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{64}$' then
        return jsonb_build_object('known', false, 'noted', false, 'jobs', '[]'::jsonb, 'queued', 0);
    end if;
    perform assay.lock_bytes(p_key);
    select upload_id into v_upload_id from assay.uploads
    where owner = split_part(p_key, '/', 2)::uuid and sha256 = split_part(p_key, '/', 3) for no key update;
    if v_upload_id is null then
        perform assay.delete_later(p_key, now() + interval '1 day', true);
        return jsonb_build_object('known', false, 'noted', true, 'jobs', '[]'::jsonb, 'queued', 0);
    end if;
    delete from assay.deletions where object_key = p_key and taken_at is null;
    if exists (select from assay.deletions where object_key = p_key) then
        -- Sent over an old link: the deletion that has started may delete this object too.
        perform assay.delete_later(p_key, now(), false);
    else
        update assay.uploads set stored_at = now() where upload_id = v_upload_id;
        update assay.jobs set status = 'queued', run_after = now()
        where upload_id = v_upload_id and status = 'awaiting_upload';
    end if;
    return (
        select jsonb_build_object('known', true, 'noted', false,
            'jobs', coalesce(jsonb_agg(job_id order by created_at, job_id), '[]'),
            'queued', count(*) filter (where status = 'queued'))
        from assay.jobs where upload_id = v_upload_id and status in ('queued', 'running'));
end $$;

-- The answer to a successful claim. Chosen values are returned as the requested ones.
create function assay.claim_json(p_job assay.jobs) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
    v_job jsonb := assay.job_json(p_job);
begin
    return jsonb_build_object('claimed', true, 'attempt', p_job.attempt, 'owner', p_job.owner,
        'object_key', 'uploads/' || p_job.owner || '/' || (v_job ->> 'sha256'),
        'remembered_columns', assay.claimed_columns(p_job.owner),
        'job', v_job || jsonb_build_object(
            'requested_dataset_type', coalesce(p_job.chosen_dataset_type, p_job.requested_dataset_type),
            'parameters', coalesce(p_job.chosen_parameters, p_job.parameters)));
end $$;

-- The number of the owner's running jobs.
create function assay.running_jobs(p_owner uuid) returns integer
language plpgsql volatile set search_path = '' as $$
begin
    return (select count(*) from assay.jobs j
        where j.owner = p_owner and j.status = 'running' and j.lease_expires_at > clock_timestamp());
end $$;

-- The owners with as many running jobs as their plan allows.
create function assay.busy_owners() returns uuid[]
language plpgsql volatile set search_path = '' as $$
begin
    return (
        select coalesce(array_agg(running.owner), '{}')
        from (select j.owner, count(*) as jobs from assay.jobs j
              where j.status = 'running' and j.lease_expires_at > clock_timestamp() group by j.owner) running
        join assay.owners o using (owner) join assay.plans p using (plan)
        where running.jobs >= p.running_jobs);
end $$;

create function assay.start_attempt(p_job_id uuid, p_worker text, p_lease_seconds integer, p_memory_mb integer)
returns assay.jobs
language plpgsql set search_path = '' as $$
declare
    v_now timestamptz := clock_timestamp();
    v_job assay.jobs;
begin
    update assay.jobs set status = 'running', attempt = attempt + 1,
        lease_expires_at = v_now + make_interval(secs => p_lease_seconds),
        started_at = coalesce(started_at, v_now), progress = 0, stage = 'starting'
    where job_id = p_job_id returning * into v_job;
    insert into assay.attempts (job_id, attempt, owner, worker, started_at, memory_mb)
    values (p_job_id, v_job.attempt, v_job.owner, p_worker, v_now, p_memory_mb);
    return v_job;
end $$;

-- Start an attempt at the queued job with the lowest turn that is due and whose owner runs fewer jobs than the plan
-- allows. Returns a null row if there is none.
create function assay.start_next(p_worker text, p_lease_seconds integer, p_memory_mb integer) returns assay.jobs
language plpgsql set search_path = '' as $$
declare
    v_now timestamptz := clock_timestamp();
    v_busy uuid[] := assay.busy_owners();
    v_job assay.jobs;
begin
    loop
        begin
            select * into v_job from assay.jobs j
            where j.status = 'queued' and j.run_after <= v_now and j.owner <> all (v_busy)
            order by j.turn, j.run_after limit 1 for update skip locked;
            if not found then
                return null;
            end if;
            -- Serialize workers, so that each counts the other's job.
            perform from assay.owners where owner = v_job.owner for no key update;
            if assay.running_jobs(v_job.owner) < (assay.plan_of(v_job.owner)).running_jobs then
                return assay.start_attempt(v_job.job_id, p_worker, p_lease_seconds, p_memory_mb);
            end if;
            -- Releases both rows: a worker must not lock one owner's row while it waits for another's.
            raise exception using errcode = 'AS001', message = 'the owner is busy';
        exception when sqlstate 'AS001' then
            v_busy := v_busy || v_job.owner;
        end;
    end loop;
end $$;

-- Whether the owner has a job that could start now. The worker that ended an attempt then sends a hint, because the
-- hint for that job may have been used up while the owner was at the limit.
create function assay.has_queued(p_owner uuid) returns boolean
language plpgsql stable set search_path = '' as $$
begin
    return exists (select from assay.jobs j where j.owner = p_owner and j.status = 'queued' and j.run_after <= now());
end $$;

-- Start an attempt at the next job, with a lease of p_lease_seconds: {"claimed": true, "attempt", "object_key",
-- "owner", "job"}, or {"claimed": false, "reason": "nothing_due"}. p_worker identifies one invocation of one worker. A
-- repeated call of the same worker, even before the first one has returned, gets the same claim.
create function public.claim_job(p_worker text, p_lease_seconds integer, p_memory_mb integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_job assay.jobs;
begin
    perform pg_advisory_xact_lock(hashtextextended('assay.claim_job ' || p_worker, 0));
    select j.* into v_job from assay.attempts a join assay.jobs j using (job_id, attempt)
    where a.worker = p_worker and a.outcome is null and j.status = 'running';
    if not found then
        v_job := assay.start_next(p_worker, p_lease_seconds, p_memory_mb);
    end if;
    if v_job.job_id is null then
        return jsonb_build_object('claimed', false, 'reason', 'nothing_due');
    end if;
    return assay.claim_json(v_job);
end $$;

-- Lock and return the job if p_attempt is its running attempt; otherwise return a null row.
create function assay.lock_attempt(p_job_id uuid, p_attempt integer) returns assay.jobs
language plpgsql set search_path = '' as $$
declare
    v_job assay.jobs;
begin
    select * into v_job from assay.jobs
    where job_id = p_job_id and attempt = p_attempt and status = 'running' for update;
    return v_job;
end $$;

-- The answer to a write of an attempt that has ended: the same answer as before, or `stale_attempt`.
create function assay.answer_ended(p_job_id uuid, p_attempt integer, p_outcomes text[]) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
    return coalesce(
        (select jsonb_build_object('accepted', true, 'status', j.status, 'cost', j.cost,
            'more', assay.has_queued(j.owner))
         from assay.jobs j join assay.attempts a using (job_id, attempt)
         where j.job_id = p_job_id and j.attempt = p_attempt and a.outcome = any (p_outcomes)),
        jsonb_build_object('accepted', false, 'reason', 'stale_attempt'));
end $$;

create function assay.cancel_running(p_job_id uuid, p_attempt integer) returns jsonb
language plpgsql set search_path = '' as $$
declare
    v_job assay.jobs;
begin
    perform assay.end_attempt(p_job_id, p_attempt, 'cancelled', null);
    update assay.jobs set status = 'cancelled', lease_expires_at = null, finished_at = now(), stage = null
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', false, 'reason', 'cancelled', 'status', 'cancelled', 'cost', v_job.cost,
        'more', assay.has_queued(v_job.owner));
end $$;

-- The heartbeat: extend the lease, write the progress, and return whether the user cancelled the job. p_max_attempts is
-- the pipeline's maximum, which comes with the detection; null keeps the current value.
create function public.report_progress(
    p_job_id uuid, p_attempt integer, p_lease_seconds integer, p_progress double precision, p_stage text,
    p_detection jsonb, p_max_attempts integer
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_job assay.jobs := assay.lock_attempt(p_job_id, p_attempt);
begin
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{}');
    end if;
    update assay.jobs set lease_expires_at = clock_timestamp() + make_interval(secs => p_lease_seconds),
        progress = greatest(progress, p_progress::real), stage = p_stage, detection = coalesce(p_detection, detection),
        max_attempts = case when p_max_attempts is null then max_attempts
            else greatest(attempt, attempts_before + p_max_attempts) end
    where job_id = p_job_id;
    return jsonb_build_object('accepted', true, 'cancel_requested', v_job.cancel_requested);
end $$;

-- The detection is not sure enough: the job waits until the user chooses a type. This and the two functions below
-- return {"accepted", "status", "cost", "more"}; `more` is whether the owner has another job that could start now.
create function public.await_type(p_job_id uuid, p_attempt integer, p_detection jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_job assay.jobs := assay.lock_attempt(p_job_id, p_attempt);
begin
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{needs_type}');
    elsif v_job.cancel_requested then
        return assay.cancel_running(p_job_id, p_attempt);
    end if;
    perform assay.end_attempt(p_job_id, p_attempt, 'needs_type', null);
    update assay.jobs set status = 'needs_type', lease_expires_at = null, detection = p_detection, stage = null
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', true, 'status', 'needs_type', 'cost', v_job.cost,
        'more', assay.has_queued(v_job.owner));
end $$;

-- The job is done. p_outputs is an ordered array of {name, media_type, size_bytes, sha256}. The outputs become visible
-- together with the status.
create function public.finish_job(
    p_job_id uuid, p_attempt integer, p_dataset_type text, p_pipeline text, p_pipeline_version text,
    p_summary jsonb, p_manifest_sha256 text, p_outputs jsonb
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_job assay.jobs := assay.lock_attempt(p_job_id, p_attempt);
begin
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{done}');
    elsif v_job.cancel_requested then
        return assay.cancel_running(p_job_id, p_attempt);
    end if;
    insert into assay.outputs (job_id, attempt, owner, position, name, media_type, object_key, size_bytes, sha256)
    select p_job_id, p_attempt, v_job.owner, o.position, o.output ->> 'name', o.output ->> 'media_type',
        'outputs/' || v_job.owner || '/' || p_job_id || '/' || p_attempt || '/' || (o.output ->> 'name'),
        (o.output ->> 'size_bytes')::bigint, o.output ->> 'sha256'
    from jsonb_array_elements(p_outputs) with ordinality as o (output, position);
    perform assay.end_attempt(p_job_id, p_attempt, 'done', null);
    update assay.jobs set status = 'done', lease_expires_at = null, finished_at = now(), progress = 1, stage = null,
        dataset_type = p_dataset_type, pipeline = p_pipeline, pipeline_version = p_pipeline_version,
        summary = p_summary, manifest_sha256 = p_manifest_sha256
    where job_id = p_job_id returning * into v_job;
    perform assay.remember_columns(v_job);
    return jsonb_build_object('accepted', true, 'status', 'done', 'cost', v_job.cost,
        'more', assay.has_queued(v_job.owner));
end $$;

-- The attempt failed with p_error {code, detail, suggestion}. Without p_retry_after_seconds the failure is final; with
-- it, the job is queued again after that delay if it has attempts left. If the stored file does not match its declared
-- size or hash, or is missing, the upload is marked as not stored, unless a file arrived since the attempt started.
create function public.fail_job(p_job_id uuid, p_attempt integer, p_error jsonb, p_retry_after_seconds integer)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_upload assay.uploads;
    v_job assay.jobs;
    v_code text := p_error ->> 'code';
begin
    if v_code in ('hash_mismatch', 'size_mismatch', 'object_missing') then
        -- Lock order, as in register_upload: the upload before the job.
        select u.* into v_upload from assay.uploads u join assay.jobs j using (upload_id) where j.job_id = p_job_id
        for update of u;
    end if;
    v_job := assay.lock_attempt(p_job_id, p_attempt);
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{failed,retry}');
    elsif v_job.cancel_requested then
        return assay.cancel_running(p_job_id, p_attempt);
    elsif p_retry_after_seconds is not null and p_attempt < v_job.max_attempts then
        perform assay.end_attempt(p_job_id, p_attempt, 'retry', p_error);
        update assay.jobs set status = 'queued', lease_expires_at = null, stage = 'waiting for a retry',
            run_after = clock_timestamp() + make_interval(secs => p_retry_after_seconds)
        where job_id = p_job_id returning * into v_job;
        return jsonb_build_object('accepted', true, 'status', 'queued', 'cost', v_job.cost,
            'more', assay.has_queued(v_job.owner));
    end if;
    if v_upload.stored_at < (
        select a.started_at from assay.attempts a where a.job_id = p_job_id and a.attempt = p_attempt
    ) then
        update assay.uploads set stored_at = null where upload_id = v_upload.upload_id;
        if v_code <> 'object_missing' then
            perform assay.delete_later('uploads/' || v_upload.owner || '/' || v_upload.sha256, now(), false);
        end if;
    end if;
    perform assay.end_attempt(p_job_id, p_attempt, 'failed', p_error);
    update assay.jobs set status = 'failed', error = p_error, lease_expires_at = null, finished_at = now(), stage = null
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', true, 'status', 'failed', 'cost', v_job.cost,
        'more', assay.has_queued(v_job.owner));
end $$;

-- Called once a minute. Uploads that were registered more than p_upload_seconds ago and never arrived expire; jobs
-- whose worker was lost end or are queued again. Returns:
--   expired, lost  the number of jobs
--   failed         the costs of the lost jobs that had no attempts left
--   hints          the number of hints to send: one for each lost job, and one for each queued job that has been due
--                  for p_quiet_seconds while its owner could run more, because its hint may be lost; such a job counts
--                  again only after another p_quiet_seconds
--   full           whether there may be more: one call settles at most 200 of each kind
--   waiting        the number of unfinished jobs of all owners, by status
create function public.sweep_jobs(p_upload_seconds integer, p_quiet_seconds integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_expired integer;
    v_lost integer;
    v_quiet integer;
    v_failed jsonb;
    v_busy uuid[];
begin
    with batch as (
        select j.job_id from assay.jobs j join assay.uploads u using (upload_id)
        where j.status = 'awaiting_upload' and j.created_at < now() - make_interval(secs => p_upload_seconds)
            and u.last_used < now() - make_interval(secs => p_upload_seconds)
        limit 200 for update of u, j skip locked
    )
    update assay.jobs j set status = 'expired', finished_at = now() from batch where j.job_id = batch.job_id;
    get diagnostics v_expired = row_count;

    with lost as (
        select j from assay.jobs j where j.status = 'running' and j.lease_expires_at < now()
        limit 200 for update skip locked
    ), settled as (
        select assay.settle_lost(j) as j from lost
    )
    select count(*), coalesce(jsonb_agg((s.j).cost) filter (where (s.j).status = 'failed'), '[]')
    into v_lost, v_failed from settled s;

    v_busy := assay.busy_owners();
    with batch as (
        select j.job_id from assay.jobs j
        where j.status = 'queued' and j.run_after < now() - make_interval(secs => p_quiet_seconds)
            and j.owner <> all (v_busy)
        limit 200 for update skip locked
    )
    update assay.jobs j set run_after = now() from batch where j.job_id = batch.job_id;
    get diagnostics v_quiet = row_count;

    -- Each count reads only an index of unfinished jobs. A cancelled needs_type job ends immediately, so the condition
    -- of jobs_one_under_way excludes none.
    return jsonb_build_object('expired', v_expired, 'lost', v_lost, 'failed', v_failed, 'hints', v_lost + v_quiet,
        'full', greatest(v_expired, v_lost, v_quiet) = 200,
        'waiting', jsonb_build_object(
            'awaiting_upload', (select count(*) from assay.jobs where status = 'awaiting_upload'),
            'queued', (select count(*) from assay.jobs where status = 'queued'),
            'running', (select count(*) from assay.jobs where status = 'running'),
            'needs_type', (select count(*) from assay.jobs where status = 'needs_type' and not cancel_requested)));
end $$;

revoke execute on all functions in schema assay from public;
revoke execute on function public.object_created, public.claim_job, public.report_progress, public.await_type,
    public.finish_job, public.fail_job, public.sweep_jobs from public, anon, authenticated, service_role;
grant execute on function public.object_created, public.claim_job, public.report_progress, public.await_type,
    public.finish_job, public.fail_job, public.sweep_jobs to service_role;

-- Queries of signed-in users. SECURITY INVOKER: row level security applies, so another owner's job is not found.

-- A job with its attempts. Raises a problem (404).
create function public.get_job(p_job_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
    v_job assay.jobs;
begin
    select * into v_job from assay.jobs where job_id = p_job_id;
    if not found then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
    return assay.job_json(v_job) || jsonb_build_object('attempts', (
        select coalesce(jsonb_agg(jsonb_build_object(
            'attempt', a.attempt, 'worker', a.worker, 'started_at', a.started_at, 'ended_at', a.ended_at,
            'duration_seconds', round(extract(epoch from a.ended_at - a.started_at), 3),
            'outcome', a.outcome, 'error', a.error) order by a.attempt), '[]')
        from assay.attempts a where a.job_id = p_job_id));
end $$;

-- The caller's jobs, newest first. The next page starts after (p_before_created_at, p_before_job_id).
create function public.list_jobs(
    p_status text default null, p_limit integer default 50,
    p_before_created_at timestamptz default null, p_before_job_id uuid default null
) returns jsonb
language sql stable set search_path = '' as $$
    select coalesce(jsonb_agg(assay.job_json(page) order by page.created_at desc, page.job_id desc), '[]')
    from (
        select j.* from assay.jobs j
        where j.owner = (select auth.uid())
            and (p_status is null or j.status = p_status)
            and (p_before_created_at is null
                 or (j.created_at, j.job_id) < (p_before_created_at, p_before_job_id))
        order by j.created_at desc, j.job_id desc
        limit p_limit
    ) page
$$;

-- The outputs of a job, in the order in which the pipeline wrote them. Raises a problem (404).
create function public.list_outputs(p_job_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
    if not exists (select 1 from assay.jobs where job_id = p_job_id) then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
    return (
        select coalesce(jsonb_agg(jsonb_build_object(
            'output_id', o.output_id, 'name', o.name, 'media_type', o.media_type, 'size_bytes', o.size_bytes,
            'sha256', o.sha256, 'created_at', o.created_at) order by o.position), '[]')
        from assay.outputs o where o.job_id = p_job_id);
end $$;

-- An output with its object key. Raises a problem (404).
create function public.get_output(p_output_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
    v_output assay.outputs;
begin
    select * into v_output from assay.outputs where output_id = p_output_id;
    if not found then
        perform assay.raise_problem(404, 'output_not_found', 'There is no such output.',
            'List a job''s outputs with GET /jobs/{job_id}/outputs.');
    end if;
    return jsonb_build_object('output_id', v_output.output_id, 'name', v_output.name,
        'media_type', v_output.media_type, 'object_key', v_output.object_key, 'sha256', v_output.sha256);
end $$;

revoke execute on function public.get_job, public.list_jobs, public.list_outputs, public.get_output
    from public, anon, authenticated, service_role;
grant execute on function public.get_job, public.list_jobs, public.list_outputs, public.get_output to authenticated;

-- Webhooks: URLs to notify when a job of the owner is done or has failed.

-- A deleted webhook's row is kept, without its secret, until the sweep has removed its deliveries: there may be more
-- than one call can remove.
create table assay.webhooks (
    webhook_id    uuid primary key default gen_random_uuid(),
    owner         uuid not null,
    url           text not null check (length(url) <= 2048 and url ~ '^https?://' and url !~ '[[:cntrl:][:space:]]'),
    secret        text check (secret ~ '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$'),  -- signs deliveries
    request_id    uuid,  -- of the call that created it
    created_at    timestamptz not null default now(),
    failing_since timestamptz,  -- null: the last delivery succeeded, or there was none yet
    deleted_at    timestamptz,
    check ((secret is null) = (deleted_at is not null))
);
create index webhooks_by_owner on assay.webhooks (owner, created_at);
create index webhooks_deleted on assay.webhooks (webhook_id) where deleted_at is not null;
-- The hash, because a URL may be too long for an index.
create unique index webhooks_one_a_url on assay.webhooks (owner, md5(url)) where deleted_at is null;

-- Owners can read their rows except the secret, which only claim_deliveries reads.
alter table assay.webhooks enable row level security;
create policy owner_reads on assay.webhooks for select to authenticated using (owner = (select auth.uid()));
grant select (webhook_id, owner, url, created_at, failing_since, deleted_at) on assay.webhooks to authenticated;

-- A webhook as the API returns it.
create function assay.webhook_json(p_webhook_id uuid) returns jsonb
language sql stable set search_path = '' as $$
    select jsonb_build_object('webhook_id', w.webhook_id, 'url', w.url, 'created_at', w.created_at,
        'failing_since', w.failing_since)
    from assay.webhooks w where w.webhook_id = p_webhook_id
$$;

-- 366 random bits, hashed to 256. gen_random_uuid uses the operating system's random source.
create function assay.new_secret() returns text
language sql volatile set search_path = '' as $$
    select 'whsec_' || encode(sha256(
        uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64')
$$;

-- Register a URL: {"webhook_id", "url", "created_at", "failing_since", "secret", "new"}. The secret is generated here
-- and is not an argument, because the server's log quotes failed statements. It is returned again only to a call with
-- the same p_request_id within a minute, which is a repeated call whose answer was lost. For a URL that the owner has
-- already registered, the existing webhook is returned, with `new` false and `secret` null.
create function public.create_webhook(p_url text, p_request_id uuid default gen_random_uuid()) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_webhook assay.webhooks;
    v_new boolean;
begin
    -- Serialize calls, so that each counts the other's webhook.
    perform pg_advisory_xact_lock(hashtextextended('assay.webhooks ' || v_owner, 0));
    select * into v_webhook from assay.webhooks
    where owner = v_owner and url = p_url and deleted_at is null;
    if not found then
        if (select count(*) from assay.webhooks where owner = v_owner and deleted_at is null) >= 10 then
            perform assay.raise_problem(409, 'too_many_webhooks',
                'You have 10 webhooks, which is the maximum.',
                'Delete one with DELETE /webhooks/{webhook_id}; GET /webhooks lists them.');
        end if;
        insert into assay.webhooks (owner, url, secret, request_id)
        values (v_owner, p_url, assay.new_secret(), p_request_id)
        returning * into v_webhook;
    end if;
    v_new := v_webhook.request_id is not distinct from p_request_id
        and v_webhook.created_at > now() - interval '1 minute';
    return assay.webhook_json(v_webhook.webhook_id)
        || jsonb_build_object('new', v_new, 'secret', case when v_new then v_webhook.secret end);
end $$;

-- Delete a webhook. It gets no new deliveries; one that is being sent may still arrive. Raises a problem (404).
create function public.delete_webhook(p_webhook_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
begin
    update assay.webhooks set deleted_at = now(), secret = null
    where webhook_id = p_webhook_id and owner = v_owner and deleted_at is null;
    if not found then
        perform assay.raise_problem(404, 'webhook_not_found', 'There is no such webhook.',
            'List your webhooks with GET /webhooks.');
    end if;
    return jsonb_build_object('deleted', true);
end $$;

-- The caller's webhooks, oldest first; at most ten.
create function public.list_webhooks() returns jsonb
language sql stable set search_path = '' as $$
    select coalesce(jsonb_agg(assay.webhook_json(w.webhook_id) order by w.created_at, w.webhook_id), '[]')
    from assay.webhooks w where w.owner = (select auth.uid()) and w.deleted_at is null
$$;

revoke execute on all functions in schema assay from public;
grant execute on function assay.webhook_json to authenticated;
revoke execute on function public.create_webhook, public.delete_webhook, public.list_webhooks
    from public, anon, authenticated, service_role;
grant execute on function public.create_webhook, public.delete_webhook, public.list_webhooks to authenticated;

-- Deliveries: events to send to webhooks. A delivery is written in the transaction that ends the job, so that none is
-- lost. The worker sends it until the receiver accepts it.

-- The id is the message id of every try. job_id is not a foreign key, because the job may be removed first.
create table assay.deliveries (
    delivery_id     uuid primary key default gen_random_uuid(),
    webhook_id      uuid not null references assay.webhooks on delete cascade,
    owner           uuid not null,
    job_id          uuid not null,
    type            text not null check (type in ('job.done', 'job.failed')),
    data            jsonb not null,  -- the job when it ended
    occurred_at     timestamptz not null,

    -- pending    waits for its next try   -> sending
    -- sending    a worker has claimed it  -> delivered, pending (retry), failed, sending (its worker was lost)
    -- delivered  the receiver accepted it
    -- failed     given up
    state           text not null default 'pending' check (state in ('pending', 'sending', 'delivered', 'failed')),
    attempts        integer not null default 0 check (attempts >= 0),  -- also the fencing token
    next_attempt_at timestamptz default now(),  -- while sending: when its worker counts as lost
    http_status     integer,  -- of the last response; null: there was none
    error           jsonb check (error ? 'code' and error ? 'detail' and error ? 'suggestion'),  -- of the last try
    ended_at        timestamptz,
    check ((state in ('pending', 'sending')) = (next_attempt_at is not null)),
    check ((state in ('delivered', 'failed')) = (ended_at is not null)),
    check (state <> 'failed' or error is not null)
);
create index deliveries_waiting on assay.deliveries (webhook_id, next_attempt_at) where next_attempt_at is not null;
create index deliveries_sending on assay.deliveries (owner) where state = 'sending';
create index deliveries_ended on assay.deliveries (ended_at) where ended_at is not null;
create index deliveries_by_webhook on assay.deliveries (webhook_id, occurred_at desc, delivery_id desc);
create index deliveries_by_owner on assay.deliveries (owner);

alter table assay.deliveries enable row level security;
create policy owner_reads on assay.deliveries for select to authenticated using (owner = (select auth.uid()));
grant select on assay.deliveries to authenticated;

-- The lock prevents the removal of the webhook, which would violate the foreign key. If it has just been removed, no
-- row is written.
create function assay.note_ending() returns trigger
language plpgsql set search_path = '' as $$
begin
    insert into assay.deliveries (webhook_id, owner, job_id, type, occurred_at, data)
    select w.webhook_id, new.owner, new.job_id, 'job.' || new.status, new.finished_at, jsonb_build_object(
        'job_id', new.job_id, 'status', new.status, 'dataset_type', new.dataset_type, 'pipeline', new.pipeline,
        'pipeline_version', new.pipeline_version, 'manifest_sha256', new.manifest_sha256,
        'error_code', new.error ->> 'code')
    from assay.webhooks w where w.owner = new.owner and w.deleted_at is null for key share;
    return null;
end $$;
create trigger note_ending after update of status on assay.jobs
    for each row when (new.status in ('done', 'failed'))
    execute function assay.note_ending();

-- A webhook's deliveries, newest first. The next page starts after (p_before_occurred_at, p_before_delivery_id). Raises
-- a problem (404).
create function public.list_deliveries(
    p_webhook_id uuid, p_limit integer default 50,
    p_before_occurred_at timestamptz default null, p_before_delivery_id uuid default null
) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
    if not exists (select from assay.webhooks where webhook_id = p_webhook_id and deleted_at is null) then
        perform assay.raise_problem(404, 'webhook_not_found', 'There is no such webhook.',
            'List your webhooks with GET /webhooks.');
    end if;
    return (
        select coalesce(jsonb_agg(jsonb_build_object(
            'delivery_id', page.delivery_id, 'job_id', page.job_id, 'type', page.type, 'occurred_at', page.occurred_at,
            'state', page.state, 'attempts', page.attempts, 'next_attempt_at', page.next_attempt_at,
            'http_status', page.http_status, 'error', page.error, 'ended_at', page.ended_at)
            order by page.occurred_at desc, page.delivery_id desc), '[]')
        from (
            select d.* from assay.deliveries d
            where d.webhook_id = p_webhook_id
                and (p_before_occurred_at is null
                     or (d.occurred_at, d.delivery_id) < (p_before_occurred_at, p_before_delivery_id))
            order by d.occurred_at desc, d.delivery_id desc
            limit p_limit
        ) page);
end $$;

-- Whether the owner has a due delivery for a webhook that is not failing.
create function public.deliveries_due(p_owner uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
    select jsonb_build_object('due', exists (
        select from assay.webhooks w
        where w.owner = p_owner and w.deleted_at is null and w.failing_since is null and exists (
            select from assay.deliveries d where d.webhook_id = w.webhook_id and d.next_attempt_at <= now())))
$$;

-- Remove at most 1,000 each of deliveries that ended more than 30 days ago and of deliveries of deleted webhooks, then
-- deleted webhooks without deliveries. Each batch is a CTE, which is evaluated once: a subquery with `for update` and
-- `limit` may be evaluated again for each joined row, with different results.
create function assay.forget_deliveries() returns void
language plpgsql set search_path = '' as $$
begin
    with batch as (
        select d.delivery_id from assay.deliveries d
        where d.ended_at < now() - interval '30 days' limit 1000 for update skip locked
    )
    delete from assay.deliveries d using batch where d.delivery_id = batch.delivery_id;
    with batch as (
        select d.delivery_id from assay.webhooks w join assay.deliveries d using (webhook_id)
        where w.deleted_at is not null limit 1000 for update of d skip locked
    )
    delete from assay.deliveries d using batch where d.delivery_id = batch.delivery_id;
    delete from assay.webhooks w
    where w.deleted_at is not null and not exists (select from assay.deliveries d where d.webhook_id = w.webhook_id);
end $$;

-- Claim at most p_limit due deliveries: an array of {"delivery_id", "attempt", "url", "secret", "type", "occurred_at",
-- "data", "claimed_at"}. The worker has p_lease_seconds to send and settle them; unsettled deliveries are claimed
-- again.
--   fair     each waiting webhook gets one delivery, then a second, and so on up to ten: a thousand deliveries of one
--            webhook do not delay the others
--   slow     one worker at a time sends an owner's deliveries: a slow receiver occupies at most one worker
--   failing  a webhook whose last try failed is left to the sweep (p_sweep), which does not compete with jobs
-- A delivery that was claimed ten times without being settled has failed. The sweep also removes old deliveries.
create function public.claim_deliveries(p_limit integer, p_lease_seconds integer, p_sweep boolean) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_now timestamptz;
    v_claimed jsonb;
begin
    if p_sweep then
        perform assay.forget_deliveries();
    end if;
    -- Serialize calls, so that each sees which owners are already claimed.
    perform pg_advisory_xact_lock(hashtextextended('assay.claim_deliveries', 0));
    v_now := clock_timestamp();
    update assay.deliveries set state = 'failed', next_attempt_at = null, ended_at = v_now, error = jsonb_build_object(
        'code', 'sender_lost',
        'detail', 'It was sent 10 times, and the service never recorded a result.',
        'suggestion', 'Get the job with GET /jobs/{job_id}.')
    where state = 'sending' and next_attempt_at <= v_now and attempts >= 10;

    -- Skip scan: read the first delivery of each webhook from the index.
    with recursive waiting as (
        (select d.webhook_id, d.next_attempt_at from assay.deliveries d
         where d.next_attempt_at is not null order by d.webhook_id, d.next_attempt_at limit 1)
        union all
        select next.webhook_id, next.next_attempt_at from waiting cross join lateral (
            select d.webhook_id, d.next_attempt_at from assay.deliveries d
            where d.next_attempt_at is not null and d.webhook_id > waiting.webhook_id
            order by d.webhook_id, d.next_attempt_at limit 1) next
    ), due as (
        select first.delivery_id,
            row_number() over (partition by first.webhook_id order by first.next_attempt_at) as place
        from waiting join assay.webhooks w using (webhook_id) cross join lateral (
            select d.delivery_id, d.webhook_id, d.next_attempt_at from assay.deliveries d
            where d.webhook_id = w.webhook_id and d.next_attempt_at <= v_now
            order by d.next_attempt_at limit 10 for update skip locked) first
        where waiting.next_attempt_at <= v_now and w.deleted_at is null and (p_sweep or w.failing_since is null)
            and not exists (
                select from assay.deliveries s
                where s.owner = w.owner and s.state = 'sending' and s.next_attempt_at > v_now)
    ), claimed as (
        update assay.deliveries d set state = 'sending', attempts = d.attempts + 1,
            next_attempt_at = v_now + make_interval(secs => p_lease_seconds)
        from (select due.delivery_id from due order by due.place, random() limit p_limit) chosen
        where d.delivery_id = chosen.delivery_id
        returning d.*
    )
    select coalesce(jsonb_agg(jsonb_build_object(
        'delivery_id', c.delivery_id, 'attempt', c.attempts, 'url', w.url, 'secret', w.secret, 'type', c.type,
        'occurred_at', c.occurred_at, 'data', c.data, 'claimed_at', v_now)), '[]')
    into v_claimed from claimed c join assay.webhooks w using (webhook_id);
    return v_claimed;
end $$;

-- Record the result of a try: {"accepted": true, "state"}, or {"accepted": false} if the try is not the latest or the
-- delivery no longer exists. p_error {code, detail, suggestion} is the reason of a failure. There are ten tries. The
-- delays are a random part of 1, 3, 9, 27 and 81 minutes, then of 4, 12, 12 and 12 hours ("full jitter"), or longer if
-- the receiver asked for it (p_retry_after_seconds). A webhook that has failed for three days gets one try per
-- delivery.
create function public.settle_delivery(
    p_delivery_id uuid, p_attempt integer, p_delivered boolean, p_http_status integer, p_error jsonb,
    p_retry_after_seconds integer
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_delivery assay.deliveries;
    v_now timestamptz;
    v_state text;
    v_seconds double precision := least(43200, 60 * 3.0 ^ least(p_attempt - 1, 9));
begin
    select * into v_delivery from assay.deliveries
    where delivery_id = p_delivery_id and attempts = p_attempt for update;
    if not found then
        return jsonb_build_object('accepted', false);
    elsif v_delivery.state <> 'sending' then
        return jsonb_build_object('accepted', true, 'state', v_delivery.state);
    end if;
    v_now := clock_timestamp();
    v_state := case
        when p_delivered then 'delivered'
        when p_attempt >= 10 then 'failed'
        when exists (select from assay.webhooks w where w.webhook_id = v_delivery.webhook_id
            and w.failing_since < v_now - interval '3 days') then 'failed'
        else 'pending' end;
    v_seconds := greatest(random() * v_seconds, least(coalesce(p_retry_after_seconds, 0), 43200));
    update assay.deliveries set state = v_state, http_status = p_http_status, error = p_error,
        next_attempt_at = case when v_state = 'pending' then v_now + make_interval(secs => v_seconds) end,
        ended_at = case when v_state <> 'pending' then v_now end
    where delivery_id = p_delivery_id;
    update assay.webhooks set failing_since = case when not p_delivered then v_now end
    where webhook_id = v_delivery.webhook_id and (failing_since is null) <> p_delivered;
    return jsonb_build_object('accepted', true, 'state', v_state);
end $$;

revoke execute on all functions in schema assay from public;
revoke execute on function public.list_deliveries, public.deliveries_due, public.claim_deliveries,
    public.settle_delivery from public, anon, authenticated, service_role;
grant execute on function public.list_deliveries to authenticated;
grant execute on function public.deliveries_due, public.claim_deliveries, public.settle_delivery to service_role;

-- Accounts: usage, export and deletion of an owner's data.

-- The caller's plan, limits and usage. `uploads_left` is the number of new jobs that assay.admit would allow now.
create function public.get_account() returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_now timestamptz := clock_timestamp();
    v_held assay.owners;
    v_plan assay.plans;
begin
    select * into v_held from assay.owners where owner = v_owner;
    select * into v_plan from assay.plans where plan = coalesce(v_held.plan, 'free');
    return jsonb_build_object(
        'owner', v_owner, 'plan', v_plan.plan,
        'limits', jsonb_build_object('running_jobs', v_plan.running_jobs, 'uploads_per_hour', v_plan.uploads_per_hour,
            'stored_bytes', v_plan.stored_bytes, 'retention_days', v_plan.retention_days),
        'usage', jsonb_build_object(
            'running_jobs', assay.running_jobs(v_owner), 'stored_bytes', coalesce(v_held.stored_bytes, 0),
            'uploads_left', floor(extract(epoch from v_now + interval '1 hour' - greatest(v_held.uploads_until, v_now))
                / extract(epoch from interval '1 hour' / v_plan.uploads_per_hour))));
end $$;

-- The four walks of an export. Each follows an index from a position and reads at most p_limit rows of each table.
-- Each row comes with the name of its list and the position after it.

-- Webhooks by age, each followed by its deliveries by age.
create function assay.export_webhooks(p_owner uuid, p_after jsonb, p_limit integer)
returns table (list text, item jsonb, place jsonb)
language plpgsql stable set search_path = '' as $$
declare
    v_webhook record;
    v_place jsonb;
    v_begun boolean;
    v_left integer := p_limit;
    v_read integer;
begin
    for v_webhook in
        select w.webhook_id, w.url, w.created_at, w.failing_since, w.deleted_at from assay.webhooks w
        where w.owner = p_owner
            and (w.created_at, w.webhook_id) >= ((p_after ->> 'at')::timestamptz, (p_after ->> 'id')::uuid)
        order by w.created_at, w.webhook_id limit p_limit + 1
    loop
        v_place := jsonb_build_object('walk', 'webhooks', 'at', v_webhook.created_at, 'id', v_webhook.webhook_id);
        v_begun := v_webhook.webhook_id = (p_after ->> 'id')::uuid;
        return query
            select c.list, c.item, v_place || jsonb_strip_nulls(jsonb_build_object(
                'occurred_at', c.occurred_at, 'delivery_id', c.delivery_id))
            from (
                select 'webhooks' as list, to_jsonb(v_webhook) as item,
                    null::timestamptz as occurred_at, null::uuid as delivery_id
                where not v_begun
                union all
                (select 'deliveries', to_jsonb(d) - 'owner', d.occurred_at, d.delivery_id from assay.deliveries d
                 where d.webhook_id = v_webhook.webhook_id and (d.occurred_at, d.delivery_id) > (
                     coalesce(case when v_begun then (p_after ->> 'occurred_at')::timestamptz end, '-infinity'),
                     coalesce(case when v_begun then (p_after ->> 'delivery_id')::uuid end,
                         '00000000-0000-0000-0000-000000000000'))
                 order by d.occurred_at, d.delivery_id limit v_left)
            ) c order by c.occurred_at nulls first, c.delivery_id limit v_left;
        get diagnostics v_read = row_count;
        v_left := v_left - v_read;
        exit when v_left = 0;
    end loop;
end $$;

-- Uploads by hash. `object_key` is set if the file is in the object store.
create function assay.export_uploads(p_owner uuid, p_after jsonb, p_limit integer)
returns table (list text, item jsonb, place jsonb)
language sql stable set search_path = '' as $$
    select 'uploads', jsonb_build_object(
            'sha256', u.sha256, 'size_bytes', u.size_bytes, 'filename', u.filename, 'first_seen', u.first_seen,
            'last_used', u.last_used, 'times_used', u.times_used, 'stored_at', u.stored_at,
            'object_key', case when u.stored_at is not null then 'uploads/' || u.owner || '/' || u.sha256 end),
        jsonb_build_object('walk', 'uploads', 'sha256', u.sha256)
    from assay.uploads u where u.owner = p_owner and u.sha256 > (p_after ->> 'sha256')
    order by u.sha256 limit p_limit
$$;

-- Jobs by age, each followed by its attempts, its events and its outputs, in order.
create function assay.export_jobs(p_owner uuid, p_after jsonb, p_limit integer)
returns table (list text, item jsonb, place jsonb)
language plpgsql stable set search_path = '' as $$
declare
    v_job assay.jobs;
    v_place jsonb;
    v_part integer;  -- 0: the job itself, 1: an attempt, 2: an event, 3: an output
    v_number bigint;  -- of that attempt, event or output
    v_left integer := p_limit;
    v_read integer;
begin
    for v_job in
        select j.* from assay.jobs j
        where j.owner = p_owner
            and (j.created_at, j.job_id) >= ((p_after ->> 'at')::timestamptz, (p_after ->> 'id')::uuid)
        order by j.created_at, j.job_id limit p_limit + 1
    loop
        v_place := jsonb_build_object('walk', 'jobs', 'at', v_job.created_at, 'id', v_job.job_id);
        v_part := -1;
        v_number := 0;
        if v_job.job_id = (p_after ->> 'id')::uuid then
            v_part := (p_after ->> 'part')::integer;
            v_number := (p_after ->> 'number')::bigint;
        end if;
        return query
            select c.list, c.item, v_place || jsonb_build_object('part', c.part, 'number', c.number) from (
                select 'jobs' as list, 0 as part, 0::bigint as number, assay.job_json(v_job) as item where v_part < 0
                union all
                (select 'attempts', 1, a.attempt, to_jsonb(a) - '{owner,memory_mb}'::text[] || jsonb_build_object(
                     'duration_seconds', round(extract(epoch from a.ended_at - a.started_at), 3))
                 from assay.attempts a
                 where v_part < 2 and a.job_id = v_job.job_id
                     and a.attempt > case v_part when 1 then v_number else 0 end
                 order by a.attempt limit v_left)
                union all
                (select 'events', 2, e.event_id, to_jsonb(e) - '{owner,event_id}'::text[] from assay.job_events e
                 where v_part < 3 and e.job_id = v_job.job_id
                     and e.event_id > case v_part when 2 then v_number else 0 end
                 order by e.event_id limit v_left)
                union all
                (select 'outputs', 3, o.position, to_jsonb(o) - '{owner,position}'::text[] from assay.outputs o
                 where o.job_id = v_job.job_id and o.position > case v_part when 3 then v_number else 0 end
                 order by o.position limit v_left)
            ) c order by c.part, c.number limit v_left;
        get diagnostics v_read = row_count;
        v_left := v_left - v_read;
        exit when v_left = 0;
    end loop;
end $$;

-- Remembered columns by age.
create function assay.export_columns(p_owner uuid, p_after jsonb, p_limit integer)
returns table (list text, item jsonb, place jsonb)
language plpgsql stable set search_path = '' as $$
begin
    return query
        select 'remembered_columns', assay.remembered_json(c),
            jsonb_build_object('walk', 'columns', 'at', c.chosen_at, 'id', c.choice_id)
        from assay.remembered_columns c
        where c.owner = p_owner
            and (c.chosen_at, c.choice_id) > ((p_after ->> 'at')::timestamptz, (p_after ->> 'id')::uuid)
        order by c.chosen_at, c.choice_id limit p_limit;
end $$;

-- A page of the caller's data: {"account", "webhooks", "deliveries", "remembered_columns", "uploads", "jobs",
-- "attempts", "events", "outputs", "next"}. All lists together have at most p_limit rows, and no row is added after
-- 1,000,000 bytes. `next` is the p_after of the next page, null on the last. Rows created meanwhile may be missing; all others appear once.
-- Secrets of webhooks are not included.
create function public.export_account(p_limit integer default 500, p_after jsonb default null) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
    v_account jsonb := public.get_account();
    v_owner uuid := auth.uid();
    v_start jsonb := '{"at": "-infinity", "id": "00000000-0000-0000-0000-000000000000", "sha256": ""}';
    v_walk text := coalesce(p_after ->> 'walk', 'webhooks');
    v_after jsonb := coalesce(p_after, v_start);
    v_lists text[] := '{}';
    v_items jsonb[] := '{}';
    v_bytes bigint := 0;
    v_place jsonb;
    v_next jsonb;
    v_row record;
begin
    <<pages>>
    while v_walk is not null loop
        for v_row in
            select * from assay.export_webhooks(v_owner, v_after, p_limit + 1) where v_walk = 'webhooks'
            union all
            select * from assay.export_columns(v_owner, v_after, p_limit + 1) where v_walk = 'columns'
            union all
            select * from assay.export_uploads(v_owner, v_after, p_limit + 1) where v_walk = 'uploads'
            union all
            select * from assay.export_jobs(v_owner, v_after, p_limit + 1) where v_walk = 'jobs'
        loop
            if cardinality(v_items) = p_limit or v_bytes > 1000000 then
                v_next := v_place;
                exit pages;
            end if;
            v_lists := array_append(v_lists, v_row.list);
            v_items := array_append(v_items, v_row.item);
            v_bytes := v_bytes + octet_length(v_row.item::text);
            v_place := v_row.place;
        end loop;
        v_walk := case v_walk when 'webhooks' then 'columns' when 'columns' then 'uploads'
            when 'uploads' then 'jobs' end;
        v_after := v_start;
    end loop;
    return jsonb_build_object('account', v_account, 'next', v_next)
        || '{"webhooks": [], "deliveries": [], "remembered_columns": [], "uploads": [], "jobs": []}'
        || '{"attempts": [], "events": [], "outputs": []}'
        || coalesce((
            select jsonb_object_agg(lists.list, lists.items) from (
                select r.list, jsonb_agg(r.item order by r.place) as items
                from unnest(v_lists, v_items) with ordinality as r (list, item, place) group by r.list) lists), '{}');
end $$;

-- Delete the caller's data, whatever the status of the jobs: at most p_limit jobs and p_limit deliveries, and no
-- further job after two seconds. Returns {"left"}, the number of rows that further calls have to delete, counted up to
-- 10,000 of each kind. The row of assay.owners is kept: deleting an account does not reset plan and hourly limit.
create function public.delete_account(p_limit integer default 500) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_start timestamptz := clock_timestamp();
    v_jobs uuid[];
    v_job_id uuid;
begin
    -- Lock order, as in register_upload: uploads and jobs before the owner's row, which remove_job changes.
    select array_agg(locked.job_id) into v_jobs from (
        select j.job_id from assay.jobs j join assay.uploads u using (upload_id)
        where j.owner = v_owner order by j.created_at, j.job_id limit p_limit for update of u, j) locked;
    foreach v_job_id in array coalesce(v_jobs, '{}') loop
        perform assay.remove_job(v_job_id);
        exit when clock_timestamp() > v_start + interval '2 seconds';
    end loop;

    with batch as (
        select d.delivery_id from assay.deliveries d where d.owner = v_owner limit p_limit for update
    )
    delete from assay.deliveries d using batch where d.delivery_id = batch.delivery_id;
    -- There are 100 at most.
    delete from assay.remembered_columns where owner = v_owner;
    delete from assay.webhooks w
    where w.owner = v_owner and not exists (select from assay.deliveries d where d.webhook_id = w.webhook_id);

    return jsonb_build_object('left',
        (select count(*) from (select from assay.jobs where owner = v_owner limit 10000) counted)
        + (select count(*) from (select from assay.deliveries where owner = v_owner limit 10000) counted)
        + (select count(*) from assay.webhooks where owner = v_owner));
end $$;

revoke execute on all functions in schema assay from public;
grant execute on function assay.export_webhooks, assay.export_columns, assay.export_uploads, assay.export_jobs
    to authenticated;
revoke execute on function public.get_account, public.export_account, public.delete_account
    from public, anon, authenticated, service_role;
grant execute on function public.get_account, public.export_account, public.delete_account to authenticated;

-- Columns that people confirmed: which column of the files with one header plays which part, for one dataset type.

-- `columns` is {role: header, or null where there is no such column}. A header is known by its hash, which the worker
-- tells with the detection; `filename` is the last file that had it, for people.
create table assay.remembered_columns (
    choice_id     uuid primary key default gen_random_uuid(),
    owner         uuid not null,
    dataset_type  text not null check (dataset_type ~ '^[a-z][a-z0-9_]{0,62}$'),
    header_sha256 text not null check (header_sha256 ~ '^[0-9a-f]{64}$'),
    columns       jsonb not null check (jsonb_typeof(columns) = 'object' and octet_length(columns::text) <= 16384),
    filename      text not null,
    chosen_by     uuid not null,
    chosen_at     timestamptz not null default now()
);
create unique index remembered_columns_one_a_header
    on assay.remembered_columns (owner, dataset_type, header_sha256);
create index remembered_columns_by_age on assay.remembered_columns (owner, chosen_at, choice_id);

alter table assay.remembered_columns enable row level security;
create policy owner_reads on assay.remembered_columns for select to authenticated using (owner = (select auth.uid()));
grant select on assay.remembered_columns to authenticated;

-- A choice as the API shows it.
create function assay.remembered_json(p_choice assay.remembered_columns) returns jsonb
language sql stable set search_path = '' as $$
    select to_jsonb(p_choice) - 'owner'
$$;

-- Remember the columns that were named for a job that is done, in place of those of the same header. An owner has 100
-- choices at most: the oldest makes room.
create function assay.remember_columns(p_job assay.jobs) returns void
language plpgsql set search_path = '' as $$
declare
    v_roles jsonb := p_job.detection -> 'columns' -> 'roles';
    v_columns jsonb;
begin
    if jsonb_typeof(v_roles) is distinct from 'object' or p_job.detection ->> 'header_sha256' is null
        or p_job.detection ->> 'likeliest' is distinct from p_job.dataset_type
        or not jsonb_path_exists(v_roles, '$.*.how ? (@ == "given")') then
        return;
    end if;
    select jsonb_object_agg(r.key, r.value -> 'column') into v_columns
    from jsonb_each(v_roles) r where r.value ->> 'how' in ('given', 'remembered');
    if octet_length(v_columns::text) > 16384 then
        return;
    end if;
    insert into assay.remembered_columns (owner, dataset_type, header_sha256, columns, filename, chosen_by)
    values (p_job.owner, p_job.dataset_type, p_job.detection ->> 'header_sha256', v_columns, p_job.filename,
        coalesce(p_job.chosen_by, p_job.owner))
    on conflict (owner, dataset_type, header_sha256) do update set
        columns = excluded.columns, filename = excluded.filename, chosen_by = excluded.chosen_by, chosen_at = now();
    delete from assay.remembered_columns where choice_id in (
        select c.choice_id from assay.remembered_columns c where c.owner = p_job.owner
        order by c.chosen_at desc, c.choice_id desc offset 100);
end $$;

-- What an owner's worker needs of them.
create function assay.claimed_columns(p_owner uuid) returns jsonb
language sql stable set search_path = '' as $$
    select coalesce(jsonb_agg(jsonb_build_object('dataset_type', c.dataset_type, 'header_sha256', c.header_sha256,
        'columns', c.columns) order by c.chosen_at, c.choice_id), '[]')
    from assay.remembered_columns c where c.owner = p_owner
$$;

-- Oldest first; there are 100 at most.
create function public.list_remembered_columns() returns jsonb
language sql stable set search_path = '' as $$
    select coalesce(jsonb_agg(assay.remembered_json(c) order by c.chosen_at, c.choice_id), '[]')
    from assay.remembered_columns c where c.owner = (select auth.uid())
$$;

-- Put other columns in the place of those that were remembered; jobs that have begun keep theirs. Raises a problem
-- (404; 422 for what is no object of texts and nulls).
create function public.edit_remembered_columns(p_choice_id uuid, p_columns jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_choice assay.remembered_columns;
begin
    if jsonb_typeof(p_columns) is distinct from 'object' or octet_length(p_columns::text) > 16384
        or jsonb_path_exists(p_columns, 'strict $.* ? (@.type() != "string" && @.type() != "null")') then
        perform assay.raise_problem(422, 'invalid_columns', 'The columns are not an object of roles and headers.',
            'Send an object such as {"revenue": "Gross"}; null means that there is no such column.');
    end if;
    update assay.remembered_columns set columns = p_columns, chosen_by = v_owner, chosen_at = now()
    where choice_id = p_choice_id and owner = v_owner returning * into v_choice;
    if not found then
        perform assay.raise_problem(404, 'columns_not_found', 'There are no such remembered columns.',
            'List yours with GET /columns.');
    end if;
    return assay.remembered_json(v_choice);
end $$;

-- Forget columns; jobs that have begun keep theirs. Raises a problem (404).
create function public.forget_columns(p_choice_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
begin
    delete from assay.remembered_columns where choice_id = p_choice_id and owner = v_owner;
    if not found then
        perform assay.raise_problem(404, 'columns_not_found', 'There are no such remembered columns.',
            'List yours with GET /columns.');
    end if;
    return jsonb_build_object('deleted', true);
end $$;

revoke execute on all functions in schema assay from public;
grant execute on function assay.remembered_json to authenticated;
revoke execute on function public.list_remembered_columns, public.edit_remembered_columns, public.forget_columns
    from public, anon, authenticated, service_role;
grant execute on function public.list_remembered_columns, public.edit_remembered_columns, public.forget_columns
    to authenticated;
