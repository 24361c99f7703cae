-- What an owner may do, by plan; what they hold; and when what has ended is removed.

set lock_timeout = '5s';
set statement_timeout = '5min';  -- counts what every owner holds

-- The limits, all in this one table: to change one, update its row.
create table assay.plans (
    plan             text primary key,
    running_jobs     integer not null check (running_jobs > 0),      -- at once
    uploads_per_hour integer not null check (uploads_per_hour > 0),  -- new jobs; answers from the cache are free
    stored_bytes     bigint not null check (stored_bytes > 0),       -- uploads as announced, and outputs
    retention_days   integer not null check (retention_days > 0)     -- from the end of a job to its removal
);
alter table assay.plans enable row level security;
insert into assay.plans (plan, running_jobs, uploads_per_hour, stored_bytes, retention_days) values
    ('free', 2, 60, 5368709120, 30),
    ('pro', 10, 600, 107374182400, 180),
    ('enterprise', 50, 10000, 2199023255552, 730);

create table assay.owners (
    owner         uuid primary key,
    plan          text not null default 'free' references assay.plans,
    stored_bytes  bigint not null default 0 check (stored_bytes >= 0),  -- kept by triggers
    uploads_until timestamptz not null default '-infinity'  -- the "theoretical arrival time" of assay.admit
);
create index owners_by_plan on assay.owners (plan);
alter table assay.owners enable row level security;

-- When the job is removed with its outputs, and with its upload if no other job is left of that. Null until it has ended.
alter table assay.jobs add column expires_at timestamptz;
-- Nobody's results go on the day on which this is deployed.
update assay.jobs set expires_at = now() + interval '30 days' where finished_at is not null;
-- A migration is one transaction, in which CONCURRENTLY is not possible.
-- squawk-ignore require-concurrent-index-creation
create index jobs_by_expiry on assay.jobs (expires_at) where expires_at is not null;

-- Whether the bytes lie in the object store, as far as it told: then nothing needs to be sent again.
alter table assay.uploads add column stored_at timestamptz;
update assay.uploads u set stored_at = u.last_used
where exists (
    select from assay.jobs j where j.upload_id = u.upload_id and (j.attempt > 0 or j.status = 'queued')
        and coalesce(j.error ->> 'code', '') not in ('hash_mismatch', 'size_mismatch', 'object_missing'));

-- An owner's plan; `free` where nobody gave them one.
create function assay.plan_of(p_owner uuid) returns assay.plans
language plpgsql stable set search_path = '' as $$
declare
    v_plan assay.plans;
begin
    select * into v_plan from assay.plans
    where plan = coalesce((select o.plan from assay.owners o where o.owner = p_owner), 'free');
    return v_plan;
end $$;

create function assay.set_expiry() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.expires_at := new.finished_at + make_interval(days => (assay.plan_of(new.owner)).retention_days);
    return new;
end $$;
create trigger set_expiry before update of status on assay.jobs
    for each row when (new.finished_at is distinct from old.finished_at)
    execute function assay.set_expiry();

-- What an owner holds changes with the rows themselves, so that no function can forget it.
create function assay.hold(p_owner uuid, p_bytes bigint) returns void
language plpgsql set search_path = '' as $$
begin
    update assay.owners set stored_bytes = stored_bytes + p_bytes where owner = p_owner;
    if not found then
        insert into assay.owners as o (owner, stored_bytes) values (p_owner, p_bytes)
        on conflict (owner) do update set stored_bytes = o.stored_bytes + excluded.stored_bytes;
    end if;
end $$;

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

create function assay.hold_outputs() returns trigger
language plpgsql set search_path = '' as $$
begin
    -- In the order of the owners, as everything that locks two of them.
    perform assay.hold(made.owner, made.size_bytes * case tg_op when 'DELETE' then -1 else 1 end)
    from (select c.owner, sum(c.size_bytes)::bigint as size_bytes from changed c group by c.owner order by c.owner) made;
    return null;
end $$;
create trigger hold_new_outputs after insert on assay.outputs referencing new table as changed
    for each statement execute function assay.hold_outputs();
create trigger hold_no_longer after delete on assay.outputs referencing old table as changed
    for each statement execute function assay.hold_outputs();

-- What they hold already. The tables are locked since the statements above, so that nothing is counted twice or not at all.
insert into assay.owners (owner, stored_bytes)
select held.owner, sum(held.size_bytes)
from (select u.owner, u.size_bytes from assay.uploads u union all select o.owner, o.size_bytes from assay.outputs o) held
group by held.owner;

-- Let the owner have one more job, or raise a problem with HTTP status 429 that names the limit. The hourly limit is a GCRA: the whole of it
-- may be used at once and comes back evenly (https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm). The owner's row stays
-- locked until the transaction ends: call it last.
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
            format('Your plan "%s" keeps up to %s bytes; with this you would have %s.',
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

-- Give an owner a plan. Its limits hold at once; of the hour's uploads as many count as used as were. What has ended stays as long as the
-- new plan says, and for another week at least.
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
    -- The jobs before the owner: the order of all that changes both. A job that ends meanwhile still gets the old plan's time;
    -- clean_up looks again before it removes one.
    update assay.jobs set expires_at = greatest(
        finished_at + make_interval(days => v_new.retention_days), now() + interval '7 days')
    where owner = p_owner and finished_at is not null;
    insert into assay.owners as o (owner, plan) values (p_owner, p_plan)
    on conflict (owner) do update set plan = excluded.plan,
        uploads_until = now() + least(interval '1 hour',
            (greatest(o.uploads_until, now()) - now()) * v_old.uploads_per_hour / v_new.uploads_per_hour);
    return jsonb_build_object('owner', p_owner, 'plan', p_plan);
end $$;

-- A job as the API shows it.
create or replace function assay.job_json(p_job assay.jobs) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
    return jsonb_build_object(
        'job_id', p_job.job_id, 'status', p_job.status, 'filename', p_job.filename,
        'sha256', (select u.sha256 from assay.uploads u where u.upload_id = p_job.upload_id), 'size_bytes', p_job.size_bytes,
        'requested_dataset_type', p_job.requested_dataset_type, 'dataset_type', p_job.dataset_type,
        'pipeline', p_job.pipeline, 'pipeline_version', p_job.pipeline_version, 'parameters', p_job.parameters,
        'progress', round(p_job.progress::numeric, 4), 'stage', p_job.stage, 'detection', p_job.detection,
        'error', p_job.error, 'summary', p_job.summary, 'manifest_sha256', p_job.manifest_sha256,
        'cancel_requested', p_job.cancel_requested, 'created_at', p_job.created_at,
        'started_at', p_job.started_at, 'finished_at', p_job.finished_at, 'expires_at', p_job.expires_at,
        'cost', p_job.cost);
end $$;

revoke execute on function assay.plan_of, assay.set_expiry, assay.hold, assay.hold_upload, assay.hold_outputs, assay.admit from public;
revoke execute on function public.set_plan from public, anon, authenticated, service_role;
grant execute on function public.set_plan to service_role;
