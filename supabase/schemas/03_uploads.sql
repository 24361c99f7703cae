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
