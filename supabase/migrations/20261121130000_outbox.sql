-- Supabase Storage has no notifications. A trigger of ours notes each new upload in a table of ours, in the transaction that makes
-- the object visible, so that none is ever lost; the worker empties the table, at a webhook's hint and once a minute.

set lock_timeout = '5s';
set statement_timeout = '30s';

-- One row an object under uploads/ that lies in Supabase Storage and was not taken yet. Nobody reads it but the functions below.
create table assay.outbox (
    object_key text primary key,
    written_at timestamptz not null default clock_timestamp(),  -- when its bytes were last written
    told_at    timestamptz  -- when the queue was last told of it; null: not since they were written
);
create index outbox_by_age on assay.outbox (written_at);
alter table assay.outbox enable row level security;

-- SECURITY DEFINER: whoever uploads has no right to the outbox. Writes to no other table, because the storage server tries an INSERT
-- and rolls it back to learn whether a user may upload; an overwrite comes as an UPDATE.
create function assay.note_object() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    insert into assay.outbox as o (object_key) values (new.name)
    on conflict (object_key) do update set written_at = clock_timestamp(), told_at = null;
    return null;
end $$;

-- Of storage.objects this needs the right TRIGGER alone, which is all that a hosted project has; hence no comment on it, and no change of the table.
create trigger assay_note_object after insert or update on storage.objects
    for each row when (new.bucket_id = 'assay' and new.name like 'uploads/%')
    execute function assay.note_object();

-- The keys that the queue is to be told of, oldest first, at most 1,000: those not told of yet, and those told of more than
-- p_quiet_seconds ago and still not taken, whose message may be lost. Two calls at once never get the same key. Should this
-- answer be lost, its keys come again after p_quiet_seconds.
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
    select jsonb_build_object('keys', coalesce(jsonb_agg(t.object_key order by t.written_at, t.object_key), '[]')) from told t
$$;

-- The object store holds new bytes under uploads/{owner}/{sha256}: queue the jobs that waited for them. Answers with
-- every job of that upload that is still to be done, so that a repeated event finds what an earlier one left.
-- `known` is false while no such upload is registered (or its row is not visible yet). From here on the message itself
-- is what is tried again, so the key leaves the outbox, known or not; it has a row only where the bytes lie in Supabase Storage.
create or replace function public.object_created(p_key text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_upload_id uuid;
begin
    delete from assay.outbox where object_key = p_key;
    if p_key ~ '^uploads/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{64}$' then
        select upload_id into v_upload_id from assay.uploads
        where owner = split_part(p_key, '/', 2)::uuid and sha256 = split_part(p_key, '/', 3);
    end if;
    if v_upload_id is null then
        return jsonb_build_object('known', false, 'jobs', '[]'::jsonb);
    end if;
    update assay.jobs set status = 'queued', run_after = now()
    where upload_id = v_upload_id and status = 'awaiting_upload';
    return jsonb_build_object('known', true, 'jobs', (
        select coalesce(jsonb_agg(job_id order by created_at, job_id), '[]') from assay.jobs
        where upload_id = v_upload_id and status in ('queued', 'running')));
end $$;

revoke execute on function assay.note_object from public;
revoke execute on function public.drain_outbox from public, anon, authenticated, service_role;
grant execute on function public.drain_outbox to service_role;
