-- Job events: the history of a job, in order. `event` is the new status, or `type_chosen`.

create table assay.job_events (
    event_id bigint generated always as identity primary key,
    job_id   uuid not null references assay.jobs on delete cascade,
    owner    uuid not null,
    attempt  integer not null,
    event    text not null,
    at       timestamptz not null default clock_timestamp(),
    details  jsonb not null default '{}'
);
create index job_events_by_job on assay.job_events (job_id, event_id);
create index job_events_by_owner on assay.job_events (owner);

alter table assay.job_events enable row level security;
create policy owner_reads on assay.job_events for select to authenticated using (owner = (select auth.uid()));
grant select on assay.job_events to authenticated;

create function assay.record_status() returns trigger
language plpgsql set search_path = '' as $$
begin
    insert into assay.job_events (job_id, owner, attempt, event, details)
    values (new.job_id, new.owner, new.attempt, new.status, jsonb_strip_nulls(jsonb_build_object('error', new.error)));
    return null;
end $$;
create trigger record_new_job after insert on assay.jobs
    for each row execute function assay.record_status();
create trigger record_status after update of status on assay.jobs
    for each row execute function assay.record_status();

revoke execute on all functions in schema assay from public;
