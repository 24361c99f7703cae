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
