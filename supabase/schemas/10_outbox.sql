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
