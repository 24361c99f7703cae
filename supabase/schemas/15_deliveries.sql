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
