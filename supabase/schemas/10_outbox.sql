-- Outbox: new objects in Supabase Storage, which sends no notifications. A trigger writes each upload here in the
-- transaction that makes the object visible, so that none is lost. The worker empties the table when a webhook hints at
-- it, and once a minute. Only the functions below read this table.

-- One row an object under uploads/ that no worker has taken yet.
create table assay.outbox (
    object_key text primary key,
    written_at timestamptz not null default clock_timestamp(),  -- when its bytes were last written
    told_at    timestamptz  -- when the key last went to the queue; null: not since the bytes were written
);
create index outbox_by_age on assay.outbox (written_at);
alter table assay.outbox enable row level security;

-- SECURITY DEFINER, because whoever uploads has no right to the outbox. It writes to no other table: to learn whether a
-- user may upload, the storage server tries an INSERT and rolls it back. An overwrite arrives as an UPDATE.
create function assay.note_object() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    insert into assay.outbox as o (object_key) values (new.name)
    on conflict (object_key) do update set written_at = clock_timestamp(), told_at = null;
    return null;
end $$;

-- Forget an object that was deleted or renamed. No worker can take it: its key would go to the queue for ever.
create function assay.forget_object() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    delete from assay.outbox where object_key = old.name;
    return null;
end $$;

-- Triggers need only the right TRIGGER on storage.objects, which is all that a hosted project grants. For the same
-- reason there is no comment on them.
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

-- The keys that go to the queue now, oldest first, at most 1,000: those that never went there, and those that went
-- there more than p_quiet_seconds ago and that no worker has taken, whose message may be lost. Two calls at once never
-- get the same key. If this answer is lost, its keys come again after p_quiet_seconds.
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
