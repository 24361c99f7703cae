-- A limit of the operator's own, an owner with a plan, bytes that arrived, and jobs that will be removed.

update assay.plans set uploads_per_hour = 100 where plan = 'free';
update assay.owners set plan = 'pro', uploads_until = '2026-11-21 12:00:00+00';
update assay.uploads set stored_at = now() where filename not in ('awaiting_upload.csv', 'expired.csv');
update assay.jobs set expires_at = now() + interval '1 year' where finished_at is not null;
