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
