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
