"""What must hold in the database at every moment, whatever the model says; and what the model is compared with."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from tests.database.steps import Superuser

# Each query finds offenders.
INVARIANTS = {
    "a job that runs has one live attempt, its last; one that does not has none": """
        select j.job_id from assay.jobs j left join assay.attempts a on a.job_id = j.job_id and a.outcome is null
        group by j.job_id
        having count(a.attempt) <> (j.status = 'running')::int
            or (j.status = 'running' and max(a.attempt) <> j.attempt)""",
    "attempts are counted from 1 without a gap": """
        select j.job_id from assay.jobs j left join assay.attempts a using (job_id) group by j.job_id
        having count(a.attempt) <> j.attempt or coalesce(max(a.attempt), 0) <> j.attempt""",
    "a job is done by its last attempt; after an earlier one that was done, another type was chosen": """
        select j.job_id from assay.jobs j left join assay.attempts a on a.job_id = j.job_id and a.outcome = 'done'
        group by j.job_id
        having (j.status = 'done' and coalesce(max(a.attempt), 0) <> j.attempt)
            or count(a.attempt) - (j.status = 'done')::int > (
                select count(*) from assay.job_events e where e.job_id = j.job_id and e.event = 'type_chosen')""",
    "whoever chose a type is the owner, and the last event of it says which": """
        select j.job_id from assay.jobs j
        where j.chosen_by <> j.owner or j.chosen_dataset_type is distinct from (
            select e.details ->> 'dataset_type' from assay.job_events e
            where e.job_id = j.job_id and e.event = 'type_chosen' order by e.event_id desc limit 1)
            and exists (select from assay.job_events e where e.job_id = j.job_id and e.event = 'type_chosen')""",
    "a job has outputs when it is done, all of them and only then": """
        select j.job_id from assay.jobs j left join assay.outputs o on o.job_id = j.job_id and o.attempt = j.attempt
        group by j.job_id having count(o.output_id) <> case j.status when 'done' then 2 else 0 end
        union all
        select o.job_id from assay.outputs o join assay.jobs j using (job_id) where o.attempt <> j.attempt""",
    "an owner holds what their uploads and outputs add up to": """
        select w.owner from assay.owners w where w.stored_bytes <>
            (select coalesce(sum(u.size_bytes), 0) from assay.uploads u where u.owner = w.owner)
            + (select coalesce(sum(o.size_bytes), 0) from assay.outputs o where o.owner = w.owner)""",
    "every upload has a job": """
        select u.upload_id from assay.uploads u
        where not exists (select from assay.jobs j where j.upload_id = u.upload_id)""",
    "at most one job of a kind is under way": """
        select upload_id from assay.jobs
        where status in ('awaiting_upload', 'queued', 'running', 'needs_type') and not cancel_requested
        group by upload_id, requested_dataset_type, parameters having count(*) > 1""",
    "everything of a job is of one owner": """
        select j.job_id from assay.jobs j join assay.uploads u using (upload_id) where j.owner <> u.owner
        union all select j.job_id from assay.jobs j join assay.attempts a using (job_id) where j.owner <> a.owner
        union all select j.job_id from assay.jobs j join assay.outputs o using (job_id)
            where j.owner <> o.owner or o.object_key not like 'outputs/' || j.owner || '/' || j.job_id || '/%'
        union all select j.job_id from assay.jobs j join assay.job_events e using (job_id) where j.owner <> e.owner""",
    "what has ended expires, and nothing else": """
        select job_id from assay.jobs where (expires_at is null) <> (finished_at is null)""",
    "no bytes that a row speaks of are to be deleted": """
        select u.upload_id from assay.uploads u
        join assay.deletions d on d.object_key = 'uploads/' || u.owner || '/' || u.sha256
        where u.stored_at is not null
        union all
        select o.output_id from assay.outputs o join assay.deletions d on starts_with(o.object_key, d.object_key)""",
    "nobody is waited for whose bytes are being deleted": """
        select j.job_id from assay.jobs j join assay.uploads u using (upload_id)
        join assay.deletions d on d.object_key = 'uploads/' || u.owner || '/' || u.sha256
        where j.status = 'awaiting_upload' and d.taken_at is not null""",
}
_OFFENDERS = " union all ".join(
    f"select '{name}' as name, offender::text from ({query}) as q (offender)" for name, query in INVARIANTS.items()
)
_SEEN = f"""
select
    (select coalesce(jsonb_agg(jsonb_build_array(name, offender)), '[]') from ({_OFFENDERS}) found),
    (select coalesce(jsonb_object_agg(o.object_key, md5(o::text)), '{{}}') from assay.outputs o),
    (select coalesce(jsonb_object_agg(j.job_id, jsonb_build_object(
        'status', j.status, 'cancel_requested', j.cancel_requested,
        'chosen', j.chosen_dataset_type, 'chosen_parameters', j.chosen_parameters ->> 'number',
        'before', j.attempts_before,
        'max_attempts', j.max_attempts, 'size', j.size_bytes, 'turn', case when j.status = 'queued' then j.turn end,
        'due', j.status <> 'queued' or j.run_after <= clock_timestamp(),
        'lease', coalesce(j.lease_expires_at > clock_timestamp(), false),
        'events', (select jsonb_agg(e.event order by e.event_id) from assay.job_events e where e.job_id = j.job_id),
        'attempts', (select coalesce(jsonb_agg(jsonb_build_array(a.worker, a.outcome) order by a.attempt), '[]')
            from assay.attempts a where a.job_id = j.job_id))), '{{}}') from assay.jobs j),
    (select coalesce(jsonb_object_agg('uploads/' || u.owner || '/' || u.sha256,
        jsonb_build_array(u.size_bytes, u.stored_at is not null)), '{{}}') from assay.uploads u),
    (select coalesce(jsonb_object_agg(d.object_key,
        jsonb_build_array(d.due_at <= now(), d.reusable, d.taken_at is not null, d.again)), '{{}}')
     from assay.deletions d),
    (select jsonb_object_agg(w.owner, jsonb_build_array(w.plan, w.stored_bytes,
        round(extract(epoch from greatest(w.uploads_until, now()) - now()) / 3600 * p.uploads_per_hour)))
     from assay.owners w join assay.plans p using (plan))
"""


class Seen(NamedTuple):
    """`offenders` break an invariant, each with its name; the rest is what the model is compared with.

    `outputs` holds a digest of each row by its object's key.
    """

    offenders: list[list[str]]
    outputs: dict[str, str]
    jobs: dict[str, dict[str, Any]]
    uploads: dict[str, list[Any]]
    deletions: dict[str, list[bool]]
    owners: dict[str, list[Any]]


def look(superuser: Superuser) -> Seen:
    """Look at everything that is in the database."""
    row = superuser.execute(_SEEN.encode()).fetchone()
    return Seen(*cast("Seen", row))
