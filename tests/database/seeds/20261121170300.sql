-- A webhook that is told and one that is deleted, and a delivery of each state.

insert into assay.webhooks (webhook_id, owner, url, secret, deleted_at) values
    ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000000', 'https://example.org/hook',
        'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=', null),
    ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000000', 'https://example.org/gone', null, now());

insert into assay.deliveries (webhook_id, owner, job_id, type, data, occurred_at, state, attempts, next_attempt_at, error, ended_at)
select '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000000',
    '00000000-0000-4000-8000-000000000005', 'job.done', '{"status": "done"}', now(), state,
    case when state = 'pending' then 0 else 1 end,
    case when state in ('pending', 'sending') then now() + interval '1 hour' end,
    case when state = 'failed' then '{"code": "timed_out", "detail": "No answer.", "suggestion": "Answer."}'::jsonb end,
    case when state in ('delivered', 'failed') then now() end
from unnest(array['pending', 'sending', 'delivered', 'failed']) as s (state);
