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
