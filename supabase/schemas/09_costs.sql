-- Costs: the cost of a job at list prices, estimated when an attempt ends.

-- For another region or a discount, change usd and as_of. Jobs that have ended keep their cost.
create table assay.list_prices (
    item   text primary key,
    usd    numeric not null check (usd >= 0 and usd < 'infinity'),  -- per unit; NaN sorts after infinity
    unit   text not null,
    source text not null,
    as_of  date not null
);
alter table assay.list_prices enable row level security;
insert into assay.list_prices (item, usd, unit, as_of, source) values
    ('lambda_gb_second', 0.0000133334, 'GB-second', '2026-11-21',
        'https://aws.amazon.com/lambda/pricing/ (us-east-1, arm64, first tier)'),
    ('lambda_request', 0.0000002, 'request', '2026-11-21',
        'https://aws.amazon.com/lambda/pricing/ (us-east-1, 0.20 a million)'),
    ('sqs_request', 0.0000004, 'request', '2026-11-21',
        'https://aws.amazon.com/sqs/pricing/ (us-east-1, standard queue, 0.40 a million)'),
    ('s3_put', 0.000005, 'request', '2026-11-21',
        'https://aws.amazon.com/s3/pricing/ (us-east-1, Standard, 0.005 a thousand)'),
    ('s3_get', 0.0000004, 'request', '2026-11-21',
        'https://aws.amazon.com/s3/pricing/ (us-east-1, Standard, 0.0004 a thousand)'),
    ('s3_gb_month', 0.023, 'GB-month', '2026-11-21',
        'https://aws.amazon.com/s3/pricing/ (us-east-1, Standard, first 50 TB)');

-- The estimate for all attempts that have ended: {"currency", "total", "compute", "requests", "storage_month",
-- "gb_seconds", "request_count", "stored_bytes", "prices_as_of"}. Amounts are in USD. A GB is 2^30 bytes, as on AWS's
-- bills. prices_as_of is the date of the oldest price. Null if no attempt has ended or a price is missing.
--   compute        time x memory of each attempt, from claim to end; a lost attempt counts at most 15 minutes,
--                  Lambda's limit
--   requests       Lambda: one to register, one for the object store's event, one per attempt
--                  SQS: three (send, receive, delete) for that event and three per attempt
--                  S3: one PUT for the upload and one per output, one GET per attempt
--   storage_month  the upload and the outputs for one month, in S3 Standard
-- Not counted: API Gateway, the other functions' time, a worker's time before its claim, /tmp beyond 512 MB, data
-- transfer, logs, Supabase.
create function assay.job_cost(p_job assay.jobs) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
    v_attempts bigint;
    v_gb_seconds numeric;
    v_outputs bigint;
    v_stored_bytes numeric;
    v_usd jsonb;
    v_as_of date;
    v_compute numeric;
    v_requests numeric;
    v_storage_month numeric;
begin
    select count(*), sum(greatest(least(extract(epoch from a.ended_at - a.started_at), 900), 0) * a.memory_mb / 1024)
    into v_attempts, v_gb_seconds from assay.attempts a where a.job_id = p_job.job_id and a.ended_at is not null;
    select count(*), p_job.size_bytes + coalesce(sum(o.size_bytes), 0)
    into v_outputs, v_stored_bytes from assay.outputs o where o.job_id = p_job.job_id;
    select jsonb_object_agg(p.item, p.usd), min(p.as_of) into v_usd, v_as_of from assay.list_prices p
    where p.item in ('lambda_gb_second', 'lambda_request', 'sqs_request', 's3_put', 's3_get', 's3_gb_month');

    v_compute := round(v_gb_seconds * (v_usd ->> 'lambda_gb_second')::numeric, 10);
    v_requests := round((2 + v_attempts) * (v_usd ->> 'lambda_request')::numeric
        + (3 + 3 * v_attempts) * (v_usd ->> 'sqs_request')::numeric
        + (1 + v_outputs) * (v_usd ->> 's3_put')::numeric + v_attempts * (v_usd ->> 's3_get')::numeric, 10);
    v_storage_month := round(v_stored_bytes / 1073741824 * (v_usd ->> 's3_gb_month')::numeric, 10);
    if v_compute + v_requests + v_storage_month is null then
        return null;
    end if;
    return jsonb_build_object('currency', 'USD', 'total', v_compute + v_requests + v_storage_month,
        'compute', v_compute, 'requests', v_requests, 'storage_month', v_storage_month,
        'gb_seconds', round(v_gb_seconds, 6), 'request_count', 6 + 5 * v_attempts + v_outputs,
        'stored_bytes', v_stored_bytes, 'prices_as_of', v_as_of);
end $$;

-- Every function that ends an attempt writes the attempt and the outputs before the job, so the estimate includes them.
create function assay.set_cost() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.cost := assay.job_cost(new);
    return new;
end $$;
create trigger set_cost before update of status on assay.jobs
    for each row when (old.status = 'running' and new.status <> 'running')
    execute function assay.set_cost();

revoke execute on all functions in schema assay from public;
