-- What all of supabase/migrations makes. Written by `make schema`; not to be edited, nor applied.
--
-- PostgreSQL database dump
--



SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: assay; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA assay;


--
-- Name: public; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA public;


--
-- Name: SCHEMA public; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA public IS 'standard public schema';


--
-- Name: admit(uuid); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.admit(p_owner uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_now timestamptz;
    v_plan assay.plans;
    v_owner assay.owners;
    v_until timestamptz;
    v_seconds integer;
begin
    insert into assay.owners (owner) values (p_owner) on conflict do nothing;
    select * into v_owner from assay.owners where owner = p_owner for update;
    select * into v_plan from assay.plans where plan = v_owner.plan;
    v_now := clock_timestamp();
    if v_owner.stored_bytes > v_plan.stored_bytes then
        perform assay.raise_problem(429, 'storage_limit 3600',
            format('Your plan "%s" keeps up to %s bytes; with this you would have %s.',
                v_plan.plan, v_plan.stored_bytes, v_owner.stored_bytes),
            'Delete jobs that you no longer need (DELETE /jobs/{job_id}), or ask for a larger plan.');
    end if;
    v_until := greatest(v_owner.uploads_until, v_now) + interval '1 hour' / v_plan.uploads_per_hour;
    if v_until > v_now + interval '1 hour' then
        v_seconds := ceil(extract(epoch from v_until - v_now - interval '1 hour'));
        perform assay.raise_problem(429, 'uploads_limit ' || v_seconds,
            format('Your plan "%s" allows %s uploads an hour.', v_plan.plan, v_plan.uploads_per_hour),
            format('Try again in %s seconds, or ask for a larger plan.', v_seconds));
    end if;
    update assay.owners set uploads_until = v_until where owner = p_owner;
end $$;


--
-- Name: answer_ended(uuid, integer, text[]); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.answer_ended(p_job_id uuid, p_attempt integer, p_outcomes text[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    return coalesce(
        (select jsonb_build_object('accepted', true, 'status', j.status, 'cost', j.cost, 'more', assay.has_queued(j.owner))
         from assay.jobs j join assay.attempts a using (job_id, attempt)
         where j.job_id = p_job_id and j.attempt = p_attempt and a.outcome = any (p_outcomes)),
        jsonb_build_object('accepted', false, 'reason', 'stale_attempt'));
end $$;


--
-- Name: busy_owners(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.busy_owners() RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    return (
        select coalesce(array_agg(running.owner), '{}')
        from (select j.owner, count(*) as jobs from assay.jobs j
              where j.status = 'running' and j.lease_expires_at > clock_timestamp() group by j.owner) running
        join assay.owners o using (owner) join assay.plans p using (plan)
        where running.jobs >= p.running_jobs);
end $$;


--
-- Name: cancel_running(uuid, integer); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.cancel_running(p_job_id uuid, p_attempt integer) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_job assay.jobs;
begin
    perform assay.end_attempt(p_job_id, p_attempt, 'cancelled', null);
    update assay.jobs set status = 'cancelled', lease_expires_at = null, finished_at = now(), stage = null
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', false, 'reason', 'cancelled', 'status', 'cancelled', 'cost', v_job.cost,
        'more', assay.has_queued(v_job.owner));
end $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: jobs; Type: TABLE; Schema: assay; Owner: -
--

CREATE TABLE assay.jobs (
    job_id uuid DEFAULT gen_random_uuid() NOT NULL,
    owner uuid NOT NULL,
    upload_id uuid NOT NULL,
    filename text NOT NULL,
    size_bytes bigint NOT NULL,
    requested_dataset_type text,
    parameters jsonb DEFAULT '{}'::jsonb NOT NULL,
    status text DEFAULT 'awaiting_upload'::text NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    max_attempts integer DEFAULT 3 NOT NULL,
    lease_expires_at timestamp with time zone,
    run_after timestamp with time zone DEFAULT now() NOT NULL,
    cancel_requested boolean DEFAULT false NOT NULL,
    progress real DEFAULT 0 NOT NULL,
    stage text,
    dataset_type text,
    pipeline text,
    pipeline_version text,
    detection jsonb,
    summary jsonb,
    error jsonb,
    manifest_sha256 text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    cost jsonb,
    expires_at timestamp with time zone,
    turn bigint,
    attempts_before integer DEFAULT 0 NOT NULL,
    chosen_dataset_type text,
    chosen_by uuid,
    chosen_at timestamp with time zone,
    CONSTRAINT jobs_attempts_before_check CHECK ((attempts_before >= 0)),
    CONSTRAINT jobs_check CHECK (((attempt >= 0) AND (attempt <= max_attempts))),
    CONSTRAINT jobs_check1 CHECK (((status = 'running'::text) = (lease_expires_at IS NOT NULL))),
    CONSTRAINT jobs_check2 CHECK (((status = ANY (ARRAY['done'::text, 'failed'::text, 'cancelled'::text, 'expired'::text])) = (finished_at IS NOT NULL))),
    CONSTRAINT jobs_check3 CHECK (((status <> 'failed'::text) OR (error IS NOT NULL))),
    CONSTRAINT jobs_check4 CHECK (((status <> 'done'::text) OR ((pipeline IS NOT NULL) AND (pipeline_version IS NOT NULL) AND (manifest_sha256 IS NOT NULL)))),
    CONSTRAINT jobs_check5 CHECK ((((chosen_dataset_type IS NULL) = (chosen_by IS NULL)) AND ((chosen_dataset_type IS NULL) = (chosen_at IS NULL)))),
    CONSTRAINT jobs_chosen_dataset_type_check CHECK ((chosen_dataset_type ~ '^[a-z][a-z0-9_]{0,62}$'::text)),
    CONSTRAINT jobs_error_check CHECK (((error IS NULL) OR ((error ? 'code'::text) AND (error ? 'detail'::text) AND (error ? 'suggestion'::text)))),
    CONSTRAINT jobs_filename_check CHECK ((((length(filename) >= 1) AND (length(filename) <= 255)) AND (filename !~ '[/\\[:cntrl:]]'::text))),
    CONSTRAINT jobs_manifest_sha256_check CHECK ((manifest_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT jobs_max_attempts_check CHECK ((max_attempts > 0)),
    CONSTRAINT jobs_parameters_check CHECK (((jsonb_typeof(parameters) = 'object'::text) AND (octet_length((parameters)::text) <= 131072))),
    CONSTRAINT jobs_progress_check CHECK (((progress >= (0)::double precision) AND (progress <= (1)::double precision))),
    CONSTRAINT jobs_requested_dataset_type_check CHECK ((requested_dataset_type ~ '^[a-z][a-z0-9_]{0,62}$'::text)),
    CONSTRAINT jobs_size_bytes_check CHECK ((size_bytes > 0)),
    CONSTRAINT jobs_status_check CHECK ((status = ANY (ARRAY['awaiting_upload'::text, 'queued'::text, 'running'::text, 'needs_type'::text, 'done'::text, 'failed'::text, 'cancelled'::text, 'expired'::text])))
);


--
-- Name: claim_json(assay.jobs); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.claim_json(p_job assay.jobs) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_job jsonb := assay.job_json(p_job);
begin
    return jsonb_build_object('claimed', true, 'attempt', p_job.attempt, 'owner', p_job.owner,
        'object_key', 'uploads/' || p_job.owner || '/' || (v_job ->> 'sha256'),
        'job', v_job || jsonb_build_object(
            'requested_dataset_type', coalesce(p_job.chosen_dataset_type, p_job.requested_dataset_type)));
end $$;


--
-- Name: delete_later(text, timestamp with time zone, boolean); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.delete_later(p_key text, p_due_at timestamp with time zone, p_reusable boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    insert into assay.deletions as d (object_key, due_at, reusable) values (p_key, p_due_at, p_reusable)
    on conflict (object_key) do update set
        due_at = case when d.taken_at is null then excluded.due_at else d.due_at end,
        reusable = d.taken_at is null and excluded.reusable,
        again = d.taken_at is not null;
end $$;


--
-- Name: attempts; Type: TABLE; Schema: assay; Owner: -
--

CREATE TABLE assay.attempts (
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    owner uuid NOT NULL,
    worker text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    outcome text,
    error jsonb,
    memory_mb integer,
    CONSTRAINT attempts_attempt_check CHECK ((attempt > 0)),
    CONSTRAINT attempts_check CHECK (((outcome IS NULL) = (ended_at IS NULL))),
    CONSTRAINT attempts_memory_mb_check CHECK ((memory_mb > 0)),
    CONSTRAINT attempts_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'failed'::text, 'retry'::text, 'needs_type'::text, 'cancelled'::text, 'lost'::text, 'superseded'::text])))
);


--
-- Name: delete_outputs_of(assay.attempts); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.delete_outputs_of(p_attempt assay.attempts) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if p_attempt.outcome in ('failed', 'retry', 'cancelled', 'lost', 'superseded') then
        perform assay.delete_later(
            'outputs/' || p_attempt.owner || '/' || p_attempt.job_id || '/' || p_attempt.attempt || '/',
            now() + case when p_attempt.outcome in ('lost', 'superseded') then interval '15 minutes' else interval '0' end, false);
    end if;
end $$;


--
-- Name: end_attempt(uuid, integer, text, jsonb); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.end_attempt(p_job_id uuid, p_attempt integer, p_outcome text, p_error jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_attempt assay.attempts;
begin
    update assay.attempts set ended_at = clock_timestamp(), outcome = p_outcome, error = p_error
    where job_id = p_job_id and attempt = p_attempt and outcome is null returning * into v_attempt;
    perform assay.delete_outputs_of(v_attempt);
end $$;


--
-- Name: export_jobs(uuid, jsonb, integer); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.export_jobs(p_owner uuid, p_after jsonb, p_limit integer) RETURNS TABLE(list text, item jsonb, place jsonb)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_job assay.jobs;
    v_place jsonb;
    v_part integer;  -- 0: the job itself, 1: an attempt, 2: an event, 3: an output
    v_number bigint;  -- of that attempt, event or output
    v_left integer := p_limit;
    v_read integer;
begin
    for v_job in
        select j.* from assay.jobs j
        where j.owner = p_owner
            and (j.created_at, j.job_id) >= ((p_after ->> 'at')::timestamptz, (p_after ->> 'id')::uuid)
        order by j.created_at, j.job_id limit p_limit + 1
    loop
        v_place := jsonb_build_object('walk', 'jobs', 'at', v_job.created_at, 'id', v_job.job_id);
        v_part := -1;
        v_number := 0;
        if v_job.job_id = (p_after ->> 'id')::uuid then
            v_part := (p_after ->> 'part')::integer;
            v_number := (p_after ->> 'number')::bigint;
        end if;
        return query
            select c.list, c.item, v_place || jsonb_build_object('part', c.part, 'number', c.number) from (
                select 'jobs' as list, 0 as part, 0::bigint as number, assay.job_json(v_job) as item where v_part < 0
                union all
                (select 'attempts', 1, a.attempt, to_jsonb(a) - '{owner,memory_mb}'::text[] || jsonb_build_object(
                     'duration_seconds', round(extract(epoch from a.ended_at - a.started_at), 3))
                 from assay.attempts a
                 where v_part < 2 and a.job_id = v_job.job_id and a.attempt > case v_part when 1 then v_number else 0 end
                 order by a.attempt limit v_left)
                union all
                (select 'events', 2, e.event_id, to_jsonb(e) - '{owner,event_id}'::text[] from assay.job_events e
                 where v_part < 3 and e.job_id = v_job.job_id and e.event_id > case v_part when 2 then v_number else 0 end
                 order by e.event_id limit v_left)
                union all
                (select 'outputs', 3, o.position, to_jsonb(o) - '{owner,position}'::text[] from assay.outputs o
                 where o.job_id = v_job.job_id and o.position > case v_part when 3 then v_number else 0 end
                 order by o.position limit v_left)
            ) c order by c.part, c.number limit v_left;
        get diagnostics v_read = row_count;
        v_left := v_left - v_read;
        exit when v_left = 0;
    end loop;
end $$;


--
-- Name: export_uploads(uuid, jsonb, integer); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.export_uploads(p_owner uuid, p_after jsonb, p_limit integer) RETURNS TABLE(list text, item jsonb, place jsonb)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select 'uploads', jsonb_build_object(
            'sha256', u.sha256, 'size_bytes', u.size_bytes, 'filename', u.filename, 'first_seen', u.first_seen,
            'last_used', u.last_used, 'times_used', u.times_used, 'stored_at', u.stored_at,
            'object_key', case when u.stored_at is not null then 'uploads/' || u.owner || '/' || u.sha256 end),
        jsonb_build_object('walk', 'uploads', 'sha256', u.sha256)
    from assay.uploads u where u.owner = p_owner and u.sha256 > (p_after ->> 'sha256')
    order by u.sha256 limit p_limit
$$;


--
-- Name: export_webhooks(uuid, jsonb, integer); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.export_webhooks(p_owner uuid, p_after jsonb, p_limit integer) RETURNS TABLE(list text, item jsonb, place jsonb)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_webhook record;
    v_place jsonb;
    v_begun boolean;
    v_left integer := p_limit;
    v_read integer;
begin
    for v_webhook in
        select w.webhook_id, w.url, w.created_at, w.failing_since, w.deleted_at from assay.webhooks w
        where w.owner = p_owner
            and (w.created_at, w.webhook_id) >= ((p_after ->> 'at')::timestamptz, (p_after ->> 'id')::uuid)
        order by w.created_at, w.webhook_id limit p_limit + 1
    loop
        v_place := jsonb_build_object('walk', 'webhooks', 'at', v_webhook.created_at, 'id', v_webhook.webhook_id);
        v_begun := v_webhook.webhook_id = (p_after ->> 'id')::uuid;
        return query
            select c.list, c.item, v_place || jsonb_strip_nulls(jsonb_build_object(
                'occurred_at', c.occurred_at, 'delivery_id', c.delivery_id))
            from (
                select 'webhooks' as list, to_jsonb(v_webhook) as item, null::timestamptz as occurred_at, null::uuid as delivery_id
                where not v_begun
                union all
                (select 'deliveries', to_jsonb(d) - 'owner', d.occurred_at, d.delivery_id from assay.deliveries d
                 where d.webhook_id = v_webhook.webhook_id and (d.occurred_at, d.delivery_id) > (
                     coalesce(case when v_begun then (p_after ->> 'occurred_at')::timestamptz end, '-infinity'),
                     coalesce(case when v_begun then (p_after ->> 'delivery_id')::uuid end, '00000000-0000-0000-0000-000000000000'))
                 order by d.occurred_at, d.delivery_id limit v_left)
            ) c order by c.occurred_at nulls first, c.delivery_id limit v_left;
        get diagnostics v_read = row_count;
        v_left := v_left - v_read;
        exit when v_left = 0;
    end loop;
end $$;


--
-- Name: forget_deliveries(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.forget_deliveries() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    with batch as (
        select d.delivery_id from assay.deliveries d where d.ended_at < now() - interval '30 days' limit 1000 for update skip locked
    )
    delete from assay.deliveries d using batch where d.delivery_id = batch.delivery_id;
    with batch as (
        select d.delivery_id from assay.webhooks w join assay.deliveries d using (webhook_id)
        where w.deleted_at is not null limit 1000 for update of d skip locked
    )
    delete from assay.deliveries d using batch where d.delivery_id = batch.delivery_id;
    delete from assay.webhooks w
    where w.deleted_at is not null and not exists (select from assay.deliveries d where d.webhook_id = w.webhook_id);
end $$;


--
-- Name: forget_object(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.forget_object() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    delete from assay.outbox where object_key = old.name;
    return null;
end $$;


--
-- Name: guard_status(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.guard_status() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if (old.status, new.status) not in (
        ('awaiting_upload', 'queued'), ('awaiting_upload', 'cancelled'), ('awaiting_upload', 'expired'),
        ('queued', 'running'), ('queued', 'cancelled'),
        ('running', 'queued'), ('running', 'needs_type'),
        ('running', 'done'), ('running', 'failed'), ('running', 'cancelled'),
        ('needs_type', 'queued'), ('needs_type', 'cancelled'),
        ('failed', 'queued'), ('cancelled', 'queued'), ('done', 'queued')
    ) then
        raise exception 'a job cannot go from % to %', old.status, new.status using errcode = 'check_violation';
    end if;
    return new;
end $$;


--
-- Name: has_queued(uuid); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.has_queued(p_owner uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    return exists (select from assay.jobs j where j.owner = p_owner and j.status = 'queued' and j.run_after <= now());
end $$;


--
-- Name: hold(uuid, bigint); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.hold(p_owner uuid, p_bytes bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    update assay.owners set stored_bytes = stored_bytes + p_bytes where owner = p_owner;
    if not found then
        insert into assay.owners as o (owner, stored_bytes) values (p_owner, p_bytes)
        on conflict (owner) do update set stored_bytes = o.stored_bytes + excluded.stored_bytes;
    end if;
end $$;


--
-- Name: hold_outputs(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.hold_outputs() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    -- In the order of the owners, as everything that locks two of them.
    perform assay.hold(made.owner, made.size_bytes * case tg_op when 'DELETE' then -1 else 1 end)
    from (select c.owner, sum(c.size_bytes)::bigint as size_bytes from changed c group by c.owner order by c.owner) made;
    return null;
end $$;


--
-- Name: hold_upload(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.hold_upload() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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


--
-- Name: job_cost(assay.jobs); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.job_cost(p_job assay.jobs) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
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


--
-- Name: job_json(assay.jobs); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.job_json(p_job assay.jobs) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    return jsonb_build_object(
        'job_id', p_job.job_id, 'status', p_job.status, 'filename', p_job.filename,
        'sha256', (select u.sha256 from assay.uploads u where u.upload_id = p_job.upload_id), 'size_bytes', p_job.size_bytes,
        'requested_dataset_type', p_job.requested_dataset_type, 'type_choice', case when p_job.chosen_at is not null then
            jsonb_build_object('dataset_type', p_job.chosen_dataset_type, 'chosen_by', p_job.chosen_by, 'chosen_at', p_job.chosen_at) end,
        'dataset_type', p_job.dataset_type,
        'pipeline', p_job.pipeline, 'pipeline_version', p_job.pipeline_version, 'parameters', p_job.parameters,
        'progress', round(p_job.progress::numeric, 4), 'stage', p_job.stage, 'detection', p_job.detection,
        'error', p_job.error, 'summary', p_job.summary, 'manifest_sha256', p_job.manifest_sha256,
        'cancel_requested', p_job.cancel_requested, 'created_at', p_job.created_at,
        'started_at', p_job.started_at, 'finished_at', p_job.finished_at, 'expires_at', p_job.expires_at,
        'cost', p_job.cost);
end $$;


--
-- Name: lock_attempt(uuid, integer); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.lock_attempt(p_job_id uuid, p_attempt integer) RETURNS assay.jobs
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_job assay.jobs;
begin
    select * into v_job from assay.jobs where job_id = p_job_id and attempt = p_attempt and status = 'running' for update;
    return v_job;
end $$;


--
-- Name: lock_bytes(text); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.lock_bytes(p_key text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform pg_advisory_xact_lock(hashtextextended('assay.uploads ' || p_key, 0));
end $$;


--
-- Name: uploads; Type: TABLE; Schema: assay; Owner: -
--

CREATE TABLE assay.uploads (
    upload_id uuid DEFAULT gen_random_uuid() NOT NULL,
    owner uuid NOT NULL,
    sha256 text NOT NULL,
    size_bytes bigint NOT NULL,
    filename text NOT NULL,
    first_seen timestamp with time zone DEFAULT now() NOT NULL,
    last_used timestamp with time zone DEFAULT now() NOT NULL,
    times_used integer DEFAULT 1 NOT NULL,
    stored_at timestamp with time zone,
    CONSTRAINT uploads_filename_check CHECK (((length(filename) >= 1) AND (length(filename) <= 255))),
    CONSTRAINT uploads_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT uploads_size_bytes_check CHECK ((size_bytes > 0)),
    CONSTRAINT uploads_times_used_check CHECK ((times_used > 0))
);


--
-- Name: lock_own_job(uuid); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.lock_own_job(p_job_id uuid, OUT upload assay.uploads, OUT job assay.jobs) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    select u.* into upload from assay.uploads u join assay.jobs j using (upload_id)
    where j.job_id = p_job_id and j.owner = assay.signed_in_owner() for update of u;
    select * into job from assay.jobs where job_id = p_job_id and upload_id = upload.upload_id for update;
    if not found then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
end $$;


--
-- Name: new_secret(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.new_secret() RETURNS text
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select 'whsec_' || encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64')
$$;


--
-- Name: note_ending(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.note_ending() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    insert into assay.deliveries (webhook_id, owner, job_id, type, occurred_at, data)
    select w.webhook_id, new.owner, new.job_id, 'job.' || new.status, new.finished_at, jsonb_build_object(
        'job_id', new.job_id, 'status', new.status, 'dataset_type', new.dataset_type, 'pipeline', new.pipeline,
        'pipeline_version', new.pipeline_version, 'manifest_sha256', new.manifest_sha256, 'error_code', new.error ->> 'code')
    from assay.webhooks w where w.owner = new.owner and w.deleted_at is null for key share;
    return null;
end $$;


--
-- Name: note_object(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.note_object() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into assay.outbox as o (object_key) values (new.name)
    on conflict (object_key) do update set written_at = clock_timestamp(), told_at = null;
    return null;
end $$;


--
-- Name: plans; Type: TABLE; Schema: assay; Owner: -
--

CREATE TABLE assay.plans (
    plan text NOT NULL,
    running_jobs integer NOT NULL,
    uploads_per_hour integer NOT NULL,
    stored_bytes bigint NOT NULL,
    retention_days integer NOT NULL,
    CONSTRAINT plans_retention_days_check CHECK ((retention_days > 0)),
    CONSTRAINT plans_running_jobs_check CHECK ((running_jobs > 0)),
    CONSTRAINT plans_stored_bytes_check CHECK ((stored_bytes > 0)),
    CONSTRAINT plans_uploads_per_hour_check CHECK ((uploads_per_hour > 0))
);


--
-- Name: plan_of(uuid); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.plan_of(p_owner uuid) RETURNS assay.plans
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_plan assay.plans;
begin
    select * into v_plan from assay.plans
    where plan = coalesce((select o.plan from assay.owners o where o.owner = p_owner), 'free');
    return v_plan;
end $$;


--
-- Name: raise_problem(integer, text, text, text); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.raise_problem(p_status integer, p_code text, p_detail text, p_suggestion text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    raise exception using errcode = 'PT' || p_status, message = p_detail, detail = p_code, hint = p_suggestion;
end $$;


--
-- Name: record_status(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.record_status() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    insert into assay.job_events (job_id, owner, attempt, event, details)
    values (new.job_id, new.owner, new.attempt, new.status, jsonb_strip_nulls(jsonb_build_object('error', new.error)));
    return null;
end $$;


--
-- Name: refuse_change(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    raise exception '% rows never change', tg_table_name using errcode = 'check_violation';
end $$;


--
-- Name: remove_job(uuid); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.remove_job(p_job_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_upload assay.uploads;
    v_job assay.jobs;
begin
    -- The upload before the job: the order of register_upload.
    select u.* into v_upload from assay.uploads u join assay.jobs j using (upload_id) where j.job_id = p_job_id
    for update of u;
    delete from assay.jobs where job_id = p_job_id returning * into v_job;
    if v_job.job_id is null then
        return;
    end if;
    if v_job.attempt > 0 then
        perform assay.delete_later('outputs/' || v_job.owner || '/' || v_job.job_id || '/',
            now() + case when v_job.status = 'running' then interval '20 minutes' else interval '0' end, false);
    end if;
    if not exists (select from assay.jobs where upload_id = v_upload.upload_id) then
        delete from assay.uploads where upload_id = v_upload.upload_id;
        perform assay.delete_later('uploads/' || v_upload.owner || '/' || v_upload.sha256, now(), v_upload.stored_at is not null);
    end if;
end $$;


--
-- Name: require_stored(assay.uploads); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.require_stored(p_upload assay.uploads) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if p_upload.stored_at is null then
        perform assay.raise_problem(409, 'bytes_missing', 'The file''s bytes are not in the object store.',
            'Upload the file again with POST /uploads.');
    end if;
end $$;


--
-- Name: running_jobs(uuid); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.running_jobs(p_owner uuid) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    return (select count(*) from assay.jobs j
        where j.owner = p_owner and j.status = 'running' and j.lease_expires_at > clock_timestamp());
end $$;


--
-- Name: set_cost(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.set_cost() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    new.cost := assay.job_cost(new);
    return new;
end $$;


--
-- Name: set_expiry(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.set_expiry() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    new.expires_at := new.finished_at + make_interval(days => (assay.plan_of(new.owner)).retention_days);
    return new;
end $$;


--
-- Name: set_turn(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.set_turn() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    new.turn := greatest(
        (select max(j.turn) + 1 from assay.jobs j where j.owner = new.owner and j.status = 'queued'),
        -- One that waits to be tried again keeps its old turn, and is not where the queue has come to.
        coalesce(
            (select j.turn from assay.jobs j where j.status = 'queued' and j.run_after <= now() order by j.turn limit 1),
            (select min(j.turn) from assay.jobs j where j.status = 'queued'), 0));
    return new;
end $$;


--
-- Name: settle_lost(assay.jobs); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.settle_lost(p_job assay.jobs) RETURNS assay.jobs
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_job assay.jobs;
    v_now timestamptz := clock_timestamp();
    v_status text := case
        when p_job.cancel_requested then 'cancelled' when p_job.attempt >= p_job.max_attempts then 'failed' else 'queued' end;
begin
    perform assay.end_attempt(p_job.job_id, p_job.attempt, 'lost', jsonb_build_object(
        'code', 'worker_lost', 'detail', 'The worker was not heard of until its lease ran out.',
        'suggestion', 'Nothing needs to be done: the job is tried again as long as it has attempts left.'));
    update assay.jobs set status = v_status, lease_expires_at = null, run_after = v_now,
        stage = case when v_status = 'queued' then 'waiting for a worker' end,
        finished_at = case when v_status <> 'queued' then v_now end,
        error = case when v_status = 'failed' then jsonb_build_object(
            'code', 'attempts_exhausted',
            'detail', 'The job was tried ' || p_job.attempt - p_job.attempts_before || ' times, and its worker was lost the last time.',
            'suggestion', 'Try again with POST /jobs/{job_id}/retry; if the file is very large, split it.') end
    where job_id = p_job.job_id returning * into v_job;
    return v_job;
end $$;


--
-- Name: signed_in_owner(); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.signed_in_owner() RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if auth.uid() is null then
        perform assay.raise_problem(401, 'not_signed_in', 'The request carries no signed-in user.',
            'Send a valid access token.');
    end if;
    return auth.uid();
end $$;


--
-- Name: start_attempt(uuid, text, integer, integer); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.start_attempt(p_job_id uuid, p_worker text, p_lease_seconds integer, p_memory_mb integer) RETURNS assay.jobs
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_now timestamptz := clock_timestamp();
    v_job assay.jobs;
begin
    update assay.jobs set status = 'running', attempt = attempt + 1,
        lease_expires_at = v_now + make_interval(secs => p_lease_seconds),
        started_at = coalesce(started_at, v_now), progress = 0, stage = 'starting'
    where job_id = p_job_id returning * into v_job;
    insert into assay.attempts (job_id, attempt, owner, worker, started_at, memory_mb)
    values (p_job_id, v_job.attempt, v_job.owner, p_worker, v_now, p_memory_mb);
    return v_job;
end $$;


--
-- Name: start_next(text, integer, integer); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.start_next(p_worker text, p_lease_seconds integer, p_memory_mb integer) RETURNS assay.jobs
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_now timestamptz := clock_timestamp();
    v_busy uuid[] := assay.busy_owners();
    v_job assay.jobs;
begin
    loop
        begin
            select * into v_job from assay.jobs j
            where j.status = 'queued' and j.run_after <= v_now and j.owner <> all (v_busy)
            order by j.turn, j.run_after limit 1 for update skip locked;
            if not found then
                return null;
            end if;
            -- Two workers at once count one after the other.
            perform from assay.owners where owner = v_job.owner for no key update;
            if assay.running_jobs(v_job.owner) < (assay.plan_of(v_job.owner)).running_jobs then
                return assay.start_attempt(v_job.job_id, p_worker, p_lease_seconds, p_memory_mb);
            end if;
            -- Lets go of both rows: whoever waits for one owner's must hold no other's.
            raise exception using errcode = 'AS001', message = 'the owner is busy';
        exception when sqlstate 'AS001' then
            v_busy := v_busy || v_job.owner;
        end;
    end loop;
end $$;


--
-- Name: webhook_json(uuid); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.webhook_json(p_webhook_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select jsonb_build_object('webhook_id', w.webhook_id, 'url', w.url, 'created_at', w.created_at,
        'failing_since', w.failing_since)
    from assay.webhooks w where w.webhook_id = p_webhook_id
$$;


--
-- Name: await_type(uuid, integer, jsonb); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.await_type(p_job_id uuid, p_attempt integer, p_detection jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_job assay.jobs := assay.lock_attempt(p_job_id, p_attempt);
begin
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{needs_type}');
    elsif v_job.cancel_requested then
        return assay.cancel_running(p_job_id, p_attempt);
    end if;
    perform assay.end_attempt(p_job_id, p_attempt, 'needs_type', null);
    update assay.jobs set status = 'needs_type', lease_expires_at = null, detection = p_detection, stage = null
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', true, 'status', 'needs_type', 'cost', v_job.cost, 'more', assay.has_queued(v_job.owner));
end $$;


--
-- Name: cancel_job(uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.cancel_job(p_job_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_job assay.jobs;
begin
    select * into v_job from assay.jobs where job_id = p_job_id and owner = v_owner for update;
    if not found then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
    if v_job.status in ('done', 'failed', 'expired') then
        perform assay.raise_problem(409, 'job_not_cancellable', 'The job is already ' || v_job.status || '.',
            'Only a job that has not ended can be cancelled.');
    elsif v_job.status = 'running' then
        update assay.jobs set cancel_requested = true where job_id = p_job_id returning * into v_job;
        if v_job.lease_expires_at < now() then
            v_job := assay.settle_lost(v_job);
        end if;
    elsif v_job.status <> 'cancelled' then
        update assay.jobs set status = 'cancelled', cancel_requested = true, finished_at = now()
        where job_id = p_job_id returning * into v_job;
    end if;
    return assay.job_json(v_job);
end $$;


--
-- Name: choose_type(uuid, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.choose_type(p_job_id uuid, p_dataset_type text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
declare
    v_own record := assay.lock_own_job(p_job_id);
    v_upload assay.uploads := v_own.upload;
    v_job assay.jobs := v_own.job;
    v_before text := coalesce(v_job.chosen_dataset_type, v_job.requested_dataset_type);
begin
    if p_dataset_type is null or p_dataset_type !~ '^[a-z][a-z0-9_]{0,62}$' then
        perform assay.raise_problem(422, 'unknown_dataset_type', 'There is no such dataset type.', 'List them with GET /dataset-types.');
    elsif v_job.status = 'expired' then
        perform assay.raise_problem(409, 'bytes_missing', 'The file never came.', 'Upload the file again with POST /uploads.');
    elsif v_before = p_dataset_type and v_job.status not in ('failed', 'cancelled') and not v_job.cancel_requested then
        return assay.job_json(v_job);
    end if;
    if v_job.status <> 'awaiting_upload' then
        perform assay.require_stored(v_upload);
    end if;
    if exists (
        select from assay.jobs j where j.upload_id = v_upload.upload_id and j.job_id <> p_job_id and not j.cancel_requested
            and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
            and j.requested_dataset_type is not distinct from v_job.requested_dataset_type and j.parameters = v_job.parameters
    ) then
        perform assay.raise_problem(409, 'already_under_way', 'Another job is under way with the same file.',
            'Find it with GET /jobs, and choose its type.');
    end if;

    insert into assay.job_events (job_id, owner, attempt, event, details)
    values (p_job_id, v_job.owner, v_job.attempt, 'type_chosen', jsonb_build_object(
        'dataset_type', p_dataset_type, 'before', coalesce(v_job.dataset_type, v_before), 'chosen_by', assay.signed_in_owner()));
    if v_job.status = 'running' then
        perform assay.end_attempt(p_job_id, v_job.attempt, 'superseded', jsonb_build_object(
            'code', 'type_chosen', 'detail', 'Another dataset type was chosen while the attempt ran.',
            'suggestion', 'Nothing needs to be done: the job runs again as that type.'));
    elsif v_job.status = 'done' then
        delete from assay.outputs where job_id = p_job_id;
        perform assay.delete_later('outputs/' || v_job.owner || '/' || p_job_id || '/' || v_job.attempt || '/', now(), false);
    end if;
    update assay.jobs set chosen_dataset_type = p_dataset_type, chosen_by = assay.signed_in_owner(), chosen_at = now(),
        attempts_before = attempt, max_attempts = attempt + 3
    where job_id = p_job_id;
    if v_job.status = 'queued' then
        update assay.jobs set run_after = least(run_after, now()), stage = null where job_id = p_job_id;
    elsif v_job.status <> 'awaiting_upload' then
        update assay.jobs set status = 'queued', lease_expires_at = null, error = null, cancel_requested = false, finished_at = null,
            run_after = now(), progress = 0, stage = null,
            dataset_type = null, pipeline = null, pipeline_version = null, summary = null, manifest_sha256 = null
        where job_id = p_job_id;
        if v_job.status <> 'needs_type' then
            perform assay.admit(v_job.owner);
        end if;
    end if;
    select * into v_job from assay.jobs where job_id = p_job_id;
    return assay.job_json(v_job);
end $_$;


--
-- Name: claim_deliveries(integer, integer, boolean); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.claim_deliveries(p_limit integer, p_lease_seconds integer, p_sweep boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_now timestamptz;
    v_claimed jsonb;
begin
    if p_sweep then
        perform assay.forget_deliveries();
    end if;
    -- One call after the other: each sees which owners the one before has taken.
    perform pg_advisory_xact_lock(hashtextextended('assay.claim_deliveries', 0));
    v_now := clock_timestamp();
    update assay.deliveries set state = 'failed', next_attempt_at = null, ended_at = v_now, error = jsonb_build_object(
        'code', 'sender_lost', 'detail', 'It was sent 10 times, and each time the service did not learn how that ended.',
        'suggestion', 'Ask for the job with GET /jobs/{job_id}.')
    where state = 'sending' and next_attempt_at <= v_now and attempts >= 10;

    -- From webhook to webhook in the index, to the first delivery of each, however many lie between.
    with recursive waiting as (
        (select d.webhook_id, d.next_attempt_at from assay.deliveries d
         where d.next_attempt_at is not null order by d.webhook_id, d.next_attempt_at limit 1)
        union all
        select next.webhook_id, next.next_attempt_at from waiting cross join lateral (
            select d.webhook_id, d.next_attempt_at from assay.deliveries d
            where d.next_attempt_at is not null and d.webhook_id > waiting.webhook_id
            order by d.webhook_id, d.next_attempt_at limit 1) next
    ), due as (
        select found.delivery_id, row_number() over (partition by found.webhook_id order by found.next_attempt_at) as place
        from waiting join assay.webhooks w using (webhook_id) cross join lateral (
            select d.delivery_id, d.webhook_id, d.next_attempt_at from assay.deliveries d
            where d.webhook_id = w.webhook_id and d.next_attempt_at <= v_now
            order by d.next_attempt_at limit 10 for update skip locked) found
        where waiting.next_attempt_at <= v_now and w.deleted_at is null and (p_sweep or w.failing_since is null) and not exists (
            select from assay.deliveries s where s.owner = w.owner and s.state = 'sending' and s.next_attempt_at > v_now)
    ), claimed as (
        update assay.deliveries d set state = 'sending', attempts = d.attempts + 1,
            next_attempt_at = v_now + make_interval(secs => p_lease_seconds)
        from (select due.delivery_id from due order by due.place, random() limit p_limit) chosen
        where d.delivery_id = chosen.delivery_id
        returning d.*
    )
    select coalesce(jsonb_agg(jsonb_build_object(
        'delivery_id', c.delivery_id, 'attempt', c.attempts, 'url', w.url, 'secret', w.secret, 'type', c.type,
        'occurred_at', c.occurred_at, 'data', c.data, 'claimed_at', v_now)), '[]')
    into v_claimed from claimed c join assay.webhooks w using (webhook_id);
    return v_claimed;
end $$;


--
-- Name: claim_job(text, integer, integer, uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.claim_job(p_worker text, p_lease_seconds integer, p_memory_mb integer DEFAULT NULL::integer, p_job_id uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_job assay.jobs;
    v_now timestamptz;
begin
    if p_job_id is null then
        perform pg_advisory_xact_lock(hashtextextended('assay.claim_job ' || p_worker, 0));
        select j.* into v_job from assay.attempts a join assay.jobs j using (job_id, attempt)
        where a.worker = p_worker and a.outcome is null and j.status = 'running';
        if not found then
            v_job := assay.start_next(p_worker, p_lease_seconds, p_memory_mb);
        end if;
        if v_job.job_id is null then
            return jsonb_build_object('claimed', false, 'reason', 'nothing_due');
        end if;
    else
        select * into v_job from assay.jobs where job_id = p_job_id for update;
        v_now := clock_timestamp();  -- now() is older than the wait for the lock
        if not found then
            return jsonb_build_object('claimed', false, 'reason', 'unknown_job');
        elsif v_job.status not in ('queued', 'running') then
            return jsonb_build_object('claimed', false, 'reason', 'ended', 'status', v_job.status);
        elsif v_job.status = 'running' and exists (
            select 1 from assay.attempts a
            where a.job_id = p_job_id and a.attempt = v_job.attempt and a.worker = p_worker and a.outcome is null
        ) then
            return assay.claim_json(v_job);
        elsif v_job.status = 'running' and v_job.lease_expires_at > v_now then
            return jsonb_build_object('claimed', false, 'reason', 'leased', 'retry_after_seconds',
                ceil(extract(epoch from v_job.lease_expires_at - v_now))::integer);
        elsif v_job.status = 'queued' and v_job.run_after > v_now then
            return jsonb_build_object('claimed', false, 'reason', 'backing_off', 'retry_after_seconds',
                ceil(extract(epoch from v_job.run_after - v_now))::integer);
        end if;
        if v_job.status = 'running' then
            v_job := assay.settle_lost(v_job);
            if v_job.status <> 'queued' then
                return jsonb_build_object('claimed', false, 'reason', 'ended', 'status', v_job.status);
            end if;
        end if;
        v_job := assay.start_attempt(p_job_id, p_worker, p_lease_seconds, p_memory_mb);
    end if;
    return assay.claim_json(v_job);
end $$;


--
-- Name: clean_up(integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.clean_up(p_quiet_seconds integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_removed integer;
    v_keys jsonb;
begin
    -- In the order of the owners, as everything that locks two of them. The plan may have changed while the job ended.
    with expired as (
        select j.job_id, j.owner, j.finished_at from assay.jobs j join assay.uploads u using (upload_id)
        where j.expires_at < now() order by j.expires_at limit 500 for update of u, j skip locked
    ), looked_at as (
        select e.job_id, e.finished_at + make_interval(days => (assay.plan_of(e.owner)).retention_days) as expires_at
        from (select * from expired order by owner, job_id) e
    ), kept as (
        update assay.jobs j set expires_at = l.expires_at from looked_at l where j.job_id = l.job_id and l.expires_at > now()
    ), removed as (
        select assay.remove_job(l.job_id) from looked_at l where l.expires_at <= now()
    )
    select count(*) into v_removed from removed;

    with due as (
        select d.object_key from assay.deletions d
        where d.due_at <= now() and (d.taken_at is null or d.taken_at < now() - make_interval(secs => p_quiet_seconds))
        order by d.due_at limit 1000 for update skip locked
    ), taken as (
        update assay.deletions d set taken_at = now(), again = false from due where d.object_key = due.object_key
        returning d.object_key
    )
    select coalesce(jsonb_agg(t.object_key order by t.object_key), '[]') into v_keys from taken t;
    return jsonb_build_object('removed', v_removed, 'keys', v_keys);
end $$;


--
-- Name: create_webhook(text, uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.create_webhook(p_url text, p_request_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_webhook assay.webhooks;
begin
    -- Two at once count one after the other.
    perform pg_advisory_xact_lock(hashtextextended('assay.webhooks ' || v_owner, 0));
    select * into v_webhook from assay.webhooks
    where owner = v_owner and request_id = p_request_id and deleted_at is null and created_at > now() - interval '1 minute';
    if not found then
        if (select count(*) from assay.webhooks where owner = v_owner and deleted_at is null) >= 10 then
            perform assay.raise_problem(409, 'too_many_webhooks', 'You have 10 webhooks, which is as many as there may be.',
                'Delete one with DELETE /webhooks/{webhook_id}; GET /webhooks lists them.');
        end if;
        insert into assay.webhooks (owner, url, secret, request_id) values (v_owner, p_url, assay.new_secret(), p_request_id)
        returning * into v_webhook;
    end if;
    return assay.webhook_json(v_webhook.webhook_id) || jsonb_build_object('secret', v_webhook.secret);
end $$;


--
-- Name: delete_account(integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.delete_account(p_limit integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_start timestamptz := clock_timestamp();
    v_jobs uuid[];
    v_job_id uuid;
begin
    -- The uploads and the jobs are locked before remove_job changes the owner's row: the order of register_upload.
    select array_agg(locked.job_id) into v_jobs from (
        select j.job_id from assay.jobs j join assay.uploads u using (upload_id)
        where j.owner = v_owner order by j.created_at, j.job_id limit p_limit for update of u, j) locked;
    foreach v_job_id in array coalesce(v_jobs, '{}') loop
        perform assay.remove_job(v_job_id);
        exit when clock_timestamp() > v_start + interval '2 seconds';
    end loop;

    with batch as (
        select d.delivery_id from assay.deliveries d where d.owner = v_owner limit p_limit for update
    )
    delete from assay.deliveries d using batch where d.delivery_id = batch.delivery_id;
    delete from assay.webhooks w
    where w.owner = v_owner and not exists (select from assay.deliveries d where d.webhook_id = w.webhook_id);

    return jsonb_build_object('left',
        (select count(*) from (select from assay.jobs where owner = v_owner limit 10000) counted)
        + (select count(*) from (select from assay.deliveries where owner = v_owner limit 10000) counted)
        + (select count(*) from assay.webhooks where owner = v_owner));
end $$;


--
-- Name: delete_job(uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.delete_job(p_job_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_owner uuid := assay.signed_in_owner();
begin
    if not exists (select from assay.jobs where job_id = p_job_id and owner = v_owner) then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
    perform assay.remove_job(p_job_id);
    return jsonb_build_object('deleted', true);
end $$;


--
-- Name: delete_webhook(uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.delete_webhook(p_webhook_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_owner uuid := assay.signed_in_owner();
begin
    update assay.webhooks set deleted_at = now(), secret = null
    where webhook_id = p_webhook_id and owner = v_owner and deleted_at is null;
    if not found then
        perform assay.raise_problem(404, 'webhook_not_found', 'There is no such webhook.', 'List your webhooks with GET /webhooks.');
    end if;
    return jsonb_build_object('deleted', true);
end $$;


--
-- Name: deliveries_due(uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.deliveries_due(p_owner uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
    select jsonb_build_object('due', exists (
        select from assay.webhooks w
        where w.owner = p_owner and w.deleted_at is null and w.failing_since is null and exists (
            select from assay.deliveries d where d.webhook_id = w.webhook_id and d.next_attempt_at <= now())))
$$;


--
-- Name: drain_outbox(integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.drain_outbox(p_quiet_seconds integer) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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


--
-- Name: export_account(integer, jsonb); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.export_account(p_limit integer, p_after jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_account jsonb := public.get_account();
    v_owner uuid := auth.uid();
    v_start jsonb := '{"at": "-infinity", "id": "00000000-0000-0000-0000-000000000000", "sha256": ""}';
    v_walk text := coalesce(p_after ->> 'walk', 'webhooks');
    v_after jsonb := coalesce(p_after, v_start);
    v_lists text[] := '{}';
    v_items jsonb[] := '{}';
    v_bytes bigint := 0;
    v_place jsonb;
    v_next jsonb;
    v_row record;
begin
    <<pages>>
    while v_walk is not null loop
        for v_row in
            select * from assay.export_webhooks(v_owner, v_after, p_limit + 1) where v_walk = 'webhooks'
            union all
            select * from assay.export_uploads(v_owner, v_after, p_limit + 1) where v_walk = 'uploads'
            union all
            select * from assay.export_jobs(v_owner, v_after, p_limit + 1) where v_walk = 'jobs'
        loop
            if cardinality(v_items) = p_limit or v_bytes > 1000000 then
                v_next := v_place;
                exit pages;
            end if;
            v_lists := array_append(v_lists, v_row.list);
            v_items := array_append(v_items, v_row.item);
            v_bytes := v_bytes + octet_length(v_row.item::text);
            v_place := v_row.place;
        end loop;
        v_walk := case v_walk when 'webhooks' then 'uploads' when 'uploads' then 'jobs' end;
        v_after := v_start;
    end loop;
    return jsonb_build_object('account', v_account, 'next', v_next)
        || '{"webhooks": [], "deliveries": [], "uploads": [], "jobs": [], "attempts": [], "events": [], "outputs": []}'
        || coalesce((
            select jsonb_object_agg(found.list, found.items) from (
                select r.list, jsonb_agg(r.item order by r.place) as items
                from unnest(v_lists, v_items) with ordinality as r (list, item, place) group by r.list) found), '{}');
end $$;


--
-- Name: fail_job(uuid, integer, jsonb, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.fail_job(p_job_id uuid, p_attempt integer, p_error jsonb, p_retry_after_seconds integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_upload assay.uploads;
    v_job assay.jobs;
    v_code text := p_error ->> 'code';
begin
    if v_code in ('hash_mismatch', 'size_mismatch', 'object_missing') then
        -- The upload before the job: the order of register_upload.
        select u.* into v_upload from assay.uploads u join assay.jobs j using (upload_id) where j.job_id = p_job_id
        for update of u;
    end if;
    v_job := assay.lock_attempt(p_job_id, p_attempt);
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{failed,retry}');
    elsif v_job.cancel_requested then
        return assay.cancel_running(p_job_id, p_attempt);
    elsif p_retry_after_seconds is not null and p_attempt < v_job.max_attempts then
        perform assay.end_attempt(p_job_id, p_attempt, 'retry', p_error);
        update assay.jobs set status = 'queued', lease_expires_at = null, stage = 'waiting to try again',
            run_after = clock_timestamp() + make_interval(secs => p_retry_after_seconds)
        where job_id = p_job_id returning * into v_job;
        return jsonb_build_object('accepted', true, 'status', 'queued', 'cost', v_job.cost, 'more', assay.has_queued(v_job.owner));
    end if;
    if v_upload.stored_at < (select a.started_at from assay.attempts a where a.job_id = p_job_id and a.attempt = p_attempt) then
        update assay.uploads set stored_at = null where upload_id = v_upload.upload_id;
        if v_code <> 'object_missing' then
            perform assay.delete_later('uploads/' || v_upload.owner || '/' || v_upload.sha256, now(), false);
        end if;
    end if;
    perform assay.end_attempt(p_job_id, p_attempt, 'failed', p_error);
    update assay.jobs set status = 'failed', error = p_error, lease_expires_at = null, finished_at = now(), stage = null
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', true, 'status', 'failed', 'cost', v_job.cost, 'more', assay.has_queued(v_job.owner));
end $$;


--
-- Name: finish_job(uuid, integer, text, text, text, jsonb, text, jsonb); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.finish_job(p_job_id uuid, p_attempt integer, p_dataset_type text, p_pipeline text, p_pipeline_version text, p_summary jsonb, p_manifest_sha256 text, p_outputs jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_job assay.jobs := assay.lock_attempt(p_job_id, p_attempt);
begin
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{done}');
    elsif v_job.cancel_requested then
        return assay.cancel_running(p_job_id, p_attempt);
    end if;
    insert into assay.outputs (job_id, attempt, owner, position, name, media_type, object_key, size_bytes, sha256)
    select p_job_id, p_attempt, v_job.owner, o.position, o.output ->> 'name', o.output ->> 'media_type',
        'outputs/' || v_job.owner || '/' || p_job_id || '/' || p_attempt || '/' || (o.output ->> 'name'),
        (o.output ->> 'size_bytes')::bigint, o.output ->> 'sha256'
    from jsonb_array_elements(p_outputs) with ordinality as o (output, position);
    perform assay.end_attempt(p_job_id, p_attempt, 'done', null);
    update assay.jobs set status = 'done', lease_expires_at = null, finished_at = now(), progress = 1, stage = null,
        dataset_type = p_dataset_type, pipeline = p_pipeline, pipeline_version = p_pipeline_version,
        summary = p_summary, manifest_sha256 = p_manifest_sha256
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', true, 'status', 'done', 'cost', v_job.cost, 'more', assay.has_queued(v_job.owner));
end $$;


--
-- Name: get_account(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.get_account() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_now timestamptz := clock_timestamp();
    v_held assay.owners;
    v_plan assay.plans;
begin
    select * into v_held from assay.owners where owner = v_owner;
    select * into v_plan from assay.plans where plan = coalesce(v_held.plan, 'free');
    return jsonb_build_object(
        'owner', v_owner, 'plan', v_plan.plan,
        'limits', jsonb_build_object('running_jobs', v_plan.running_jobs, 'uploads_per_hour', v_plan.uploads_per_hour,
            'stored_bytes', v_plan.stored_bytes, 'retention_days', v_plan.retention_days),
        'usage', jsonb_build_object('running_jobs', assay.running_jobs(v_owner), 'stored_bytes', coalesce(v_held.stored_bytes, 0),
            'uploads_left', floor(extract(epoch from v_now + interval '1 hour' - greatest(v_held.uploads_until, v_now))
                / extract(epoch from interval '1 hour' / v_plan.uploads_per_hour))));
end $$;


--
-- Name: get_job(uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.get_job(p_job_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_job assay.jobs;
begin
    select * into v_job from assay.jobs where job_id = p_job_id;
    if not found then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
    return assay.job_json(v_job) || jsonb_build_object('attempts', (
        select coalesce(jsonb_agg(jsonb_build_object(
            'attempt', a.attempt, 'worker', a.worker, 'started_at', a.started_at, 'ended_at', a.ended_at,
            'duration_seconds', round(extract(epoch from a.ended_at - a.started_at), 3),
            'outcome', a.outcome, 'error', a.error) order by a.attempt), '[]')
        from assay.attempts a where a.job_id = p_job_id));
end $$;


--
-- Name: get_output(uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.get_output(p_output_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_output assay.outputs;
begin
    select * into v_output from assay.outputs where output_id = p_output_id;
    if not found then
        perform assay.raise_problem(404, 'output_not_found', 'There is no such output.',
            'List a job''s outputs with GET /jobs/{job_id}/outputs.');
    end if;
    return jsonb_build_object('output_id', v_output.output_id, 'name', v_output.name,
        'media_type', v_output.media_type, 'object_key', v_output.object_key, 'sha256', v_output.sha256);
end $$;


--
-- Name: list_deliveries(uuid, integer, timestamp with time zone, uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.list_deliveries(p_webhook_id uuid, p_limit integer, p_before_occurred_at timestamp with time zone, p_before_delivery_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if not exists (select from assay.webhooks where webhook_id = p_webhook_id and deleted_at is null) then
        perform assay.raise_problem(404, 'webhook_not_found', 'There is no such webhook.', 'List your webhooks with GET /webhooks.');
    end if;
    return (
        select coalesce(jsonb_agg(jsonb_build_object(
            'delivery_id', page.delivery_id, 'job_id', page.job_id, 'type', page.type, 'occurred_at', page.occurred_at,
            'state', page.state, 'attempts', page.attempts, 'next_attempt_at', page.next_attempt_at,
            'http_status', page.http_status, 'error', page.error, 'ended_at', page.ended_at)
            order by page.occurred_at desc, page.delivery_id desc), '[]')
        from (
            select d.* from assay.deliveries d
            where d.webhook_id = p_webhook_id
                and (p_before_occurred_at is null
                     or (d.occurred_at, d.delivery_id) < (p_before_occurred_at, p_before_delivery_id))
            order by d.occurred_at desc, d.delivery_id desc
            limit p_limit
        ) page);
end $$;


--
-- Name: list_jobs(text, integer, timestamp with time zone, uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.list_jobs(p_status text, p_limit integer, p_before_created_at timestamp with time zone, p_before_job_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select coalesce(jsonb_agg(assay.job_json(page) order by page.created_at desc, page.job_id desc), '[]')
    from (
        select j.* from assay.jobs j
        where j.owner = (select auth.uid())
            and (p_status is null or j.status = p_status)
            and (p_before_created_at is null
                 or (j.created_at, j.job_id) < (p_before_created_at, p_before_job_id))
        order by j.created_at desc, j.job_id desc
        limit p_limit
    ) page
$$;


--
-- Name: list_outputs(uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.list_outputs(p_job_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if not exists (select 1 from assay.jobs where job_id = p_job_id) then
        perform assay.raise_problem(404, 'job_not_found', 'There is no such job.', 'List your jobs with GET /jobs.');
    end if;
    return (
        select coalesce(jsonb_agg(jsonb_build_object(
            'output_id', o.output_id, 'name', o.name, 'media_type', o.media_type, 'size_bytes', o.size_bytes,
            'sha256', o.sha256, 'created_at', o.created_at) order by o.position), '[]')
        from assay.outputs o where o.job_id = p_job_id);
end $$;


--
-- Name: list_webhooks(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.list_webhooks() RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select coalesce(jsonb_agg(assay.webhook_json(w.webhook_id) order by w.created_at, w.webhook_id), '[]')
    from assay.webhooks w where w.owner = (select auth.uid()) and w.deleted_at is null
$$;


--
-- Name: object_created(text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.object_created(p_key text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
declare
    v_upload_id uuid;
begin
    delete from assay.outbox where object_key = p_key;
    if p_key !~ '^uploads/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{64}$' then
        return jsonb_build_object('known', false, 'noted', false, 'jobs', '[]'::jsonb, 'queued', 0);
    end if;
    perform assay.lock_bytes(p_key);
    select upload_id into v_upload_id from assay.uploads
    where owner = split_part(p_key, '/', 2)::uuid and sha256 = split_part(p_key, '/', 3) for no key update;
    if v_upload_id is null then
        perform assay.delete_later(p_key, now() + interval '1 day', true);
        return jsonb_build_object('known', false, 'noted', true, 'jobs', '[]'::jsonb, 'queued', 0);
    end if;
    delete from assay.deletions where object_key = p_key and taken_at is null;
    if exists (select from assay.deletions where object_key = p_key) then
        -- Sent by an old link: the deletion that has begun may hit these bytes too.
        perform assay.delete_later(p_key, now(), false);
    else
        update assay.uploads set stored_at = now() where upload_id = v_upload_id;
        update assay.jobs set status = 'queued', run_after = now()
        where upload_id = v_upload_id and status = 'awaiting_upload';
    end if;
    return (
        select jsonb_build_object('known', true, 'noted', false, 'jobs', coalesce(jsonb_agg(job_id order by created_at, job_id), '[]'),
            'queued', count(*) filter (where status = 'queued'))
        from assay.jobs where upload_id = v_upload_id and status in ('queued', 'running'));
end $_$;


--
-- Name: objects_deleted(jsonb); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.objects_deleted(p_keys jsonb) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    with again as (
        update assay.deletions d set taken_at = null, again = false from jsonb_array_elements_text(p_keys) k (object_key)
        where d.object_key = k.object_key and d.again
    ), gone as (
        delete from assay.deletions d using jsonb_array_elements_text(p_keys) k (object_key)
        where d.object_key = k.object_key and d.taken_at is not null and not d.again returning 1
    )
    select jsonb_build_object('forgotten', (select count(*) from gone))
$$;


--
-- Name: register_upload(text, bigint, text, text, jsonb, text, jsonb); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.register_upload(p_filename text, p_size_bytes bigint, p_sha256 text, p_dataset_type text, p_parameters jsonb, p_on_duplicate text, p_pipeline_versions jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_upload assay.uploads;
    v_deletion assay.deletions;
    v_job assay.jobs;
begin
    if p_on_duplicate is null or p_on_duplicate not in ('reuse', 'reprocess') then
        perform assay.raise_problem(422, 'invalid_request', 'on_duplicate is neither reuse nor reprocess.',
            'Send "reuse" or "reprocess".');
    end if;

    perform assay.lock_bytes('uploads/' || v_owner || '/' || p_sha256);
    insert into assay.uploads as u (owner, sha256, size_bytes, filename)
    values (v_owner, p_sha256, p_size_bytes, p_filename)
    on conflict (owner, sha256) do update set
        last_used = now(), times_used = u.times_used + 1, filename = excluded.filename,
        size_bytes = case when u.stored_at is null then excluded.size_bytes else u.size_bytes end
    returning * into v_upload;

    if v_upload.stored_at is null then
        select * into v_deletion from assay.deletions
        where object_key = 'uploads/' || v_owner || '/' || p_sha256 for update;
        if v_deletion.taken_at is not null then
            -- Bytes that were sent now could be deleted a moment later.
            perform assay.raise_problem(503, 'being_deleted 5', 'An earlier upload of these bytes is being deleted.',
                'Try again in 5 seconds.');
        elsif v_deletion.object_key is not null then
            delete from assay.deletions where object_key = v_deletion.object_key;
            if v_deletion.reusable then
                update assay.uploads set stored_at = now() where upload_id = v_upload.upload_id returning * into v_upload;
                update assay.jobs set status = 'queued', run_after = now()
                where upload_id = v_upload.upload_id and status = 'awaiting_upload';
            end if;
        end if;
    end if;

    -- A job whose last worker was lost answers nothing any more; one that is locked is just being written to.
    perform assay.settle_lost(lost.j) from (
        select j from assay.jobs j
        where j.upload_id = v_upload.upload_id and j.status = 'running' and j.lease_expires_at < now()
            and (j.cancel_requested or j.attempt >= j.max_attempts) for update skip locked) lost;

    select * into v_job from assay.jobs j
    where j.upload_id = v_upload.upload_id and not j.cancel_requested
        and j.requested_dataset_type is not distinct from p_dataset_type
        and j.parameters = p_parameters
        and (j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
            or (p_on_duplicate = 'reuse' and j.status = 'done'
                and p_pipeline_versions ->> j.pipeline = j.pipeline_version))
    order by (j.status = 'done') desc, j.created_at desc
    limit 1;

    if not found then
        insert into assay.jobs (owner, upload_id, filename, size_bytes, requested_dataset_type, parameters, status)
        values (v_owner, v_upload.upload_id, p_filename, v_upload.size_bytes, p_dataset_type, p_parameters,
            case when v_upload.stored_at is null then 'awaiting_upload' else 'queued' end)
        returning * into v_job;
        perform assay.admit(v_owner);
    elsif v_job.status = 'awaiting_upload' and v_job.size_bytes <> p_size_bytes then
        update assay.jobs set size_bytes = p_size_bytes where job_id = v_job.job_id returning * into v_job;
    end if;

    return jsonb_build_object(
        'cached', v_job.status <> 'awaiting_upload',
        'job', assay.job_json(v_job),
        'upload', jsonb_build_object(
            'sha256', v_upload.sha256, 'size_bytes', v_upload.size_bytes, 'filename', v_upload.filename,
            'first_seen', v_upload.first_seen, 'last_used', v_upload.last_used, 'times_used', v_upload.times_used,
            'jobs', (
                select coalesce(jsonb_agg(assay.job_json(latest) order by latest.created_at desc), '[]')
                from (select j.* from assay.jobs j where j.upload_id = v_upload.upload_id
                      order by j.created_at desc limit 10) latest)));
end $$;


--
-- Name: report_progress(uuid, integer, integer, double precision, text, jsonb, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.report_progress(p_job_id uuid, p_attempt integer, p_lease_seconds integer, p_progress double precision, p_stage text, p_detection jsonb, p_max_attempts integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_job assay.jobs := assay.lock_attempt(p_job_id, p_attempt);
begin
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{}');
    end if;
    update assay.jobs set lease_expires_at = clock_timestamp() + make_interval(secs => p_lease_seconds),
        progress = greatest(progress, p_progress::real), stage = p_stage, detection = coalesce(p_detection, detection),
        max_attempts = case when p_max_attempts is null then max_attempts else greatest(attempt, attempts_before + p_max_attempts) end
    where job_id = p_job_id;
    return jsonb_build_object('accepted', true, 'cancel_requested', v_job.cancel_requested);
end $$;


--
-- Name: reprocess_job(uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.reprocess_job(p_job_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_own record := assay.lock_own_job(p_job_id);
    v_upload assay.uploads := v_own.upload;
    v_job assay.jobs := v_own.job;
    v_new assay.jobs;
begin
    select * into v_new from assay.jobs j where j.upload_id = v_upload.upload_id and not j.cancel_requested
        and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
        and j.requested_dataset_type is not distinct from v_job.requested_dataset_type and j.parameters = v_job.parameters;
    if found then
        return jsonb_build_object('new', false, 'job', assay.job_json(v_new));
    end if;
    perform assay.require_stored(v_upload);
    insert into assay.jobs (owner, upload_id, filename, size_bytes, requested_dataset_type, parameters, status,
        chosen_dataset_type, chosen_by, chosen_at)
    values (v_job.owner, v_job.upload_id, v_job.filename, v_job.size_bytes, v_job.requested_dataset_type, v_job.parameters, 'queued',
        v_job.chosen_dataset_type, v_job.chosen_by, v_job.chosen_at)
    returning * into v_new;
    perform assay.admit(v_job.owner);
    return jsonb_build_object('new', true, 'job', assay.job_json(v_new));
end $$;


--
-- Name: retry_job(uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.retry_job(p_job_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_own record := assay.lock_own_job(p_job_id);
    v_upload assay.uploads := v_own.upload;
    v_job assay.jobs := v_own.job;
begin
    if v_job.status not in ('failed', 'cancelled') then
        perform assay.raise_problem(409, 'job_not_retryable', 'The job is ' || replace(v_job.status, '_', ' ') || '.',
            'Only a failed or cancelled job can be tried again; for one that is done use POST /jobs/{job_id}/reprocess.');
    end if;
    perform assay.require_stored(v_upload);
    if exists (
        select from assay.jobs j where j.upload_id = v_upload.upload_id and not j.cancel_requested
            and j.status in ('awaiting_upload', 'queued', 'running', 'needs_type')
            and j.requested_dataset_type is not distinct from v_job.requested_dataset_type and j.parameters = v_job.parameters
    ) then
        perform assay.raise_problem(409, 'already_under_way', 'Another job does the same with the same file.',
            'Find it with GET /jobs, and wait for it.');
    end if;
    update assay.jobs set status = 'queued', error = null, cancel_requested = false, finished_at = null, run_after = now(),
        progress = 0, stage = null, attempts_before = attempt, max_attempts = attempt + 3
    where job_id = p_job_id returning * into v_job;
    perform assay.admit(v_job.owner);
    return assay.job_json(v_job);
end $$;


--
-- Name: set_plan(uuid, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.set_plan(p_owner uuid, p_plan text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_old assay.plans := assay.plan_of(p_owner);
    v_new assay.plans;
begin
    select * into v_new from assay.plans where plan = p_plan;
    if not found then
        perform assay.raise_problem(422, 'unknown_plan', 'There is no such plan.',
            'Choose one of: ' || (select string_agg(plan, ', ' order by running_jobs) from assay.plans) || '.');
    end if;
    -- The jobs before the owner, the oldest first: the order of all that changes both. A job that ends meanwhile still gets the old
    -- plan's time; clean_up looks again before it removes one.
    perform from assay.jobs where owner = p_owner and finished_at is not null order by created_at, job_id for update;
    update assay.jobs set expires_at = greatest(
        finished_at + make_interval(days => v_new.retention_days), now() + interval '7 days')
    where owner = p_owner and finished_at is not null;
    insert into assay.owners as o (owner, plan) values (p_owner, p_plan)
    on conflict (owner) do update set plan = excluded.plan,
        uploads_until = now() + least(interval '1 hour',
            (greatest(o.uploads_until, now()) - now()) * v_old.uploads_per_hour / v_new.uploads_per_hour);
    return jsonb_build_object('owner', p_owner, 'plan', p_plan);
end $$;


--
-- Name: settle_delivery(uuid, integer, boolean, integer, jsonb, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.settle_delivery(p_delivery_id uuid, p_attempt integer, p_delivered boolean, p_http_status integer, p_error jsonb, p_retry_after_seconds integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_delivery assay.deliveries;
    v_now timestamptz;
    v_state text;
    v_seconds double precision := least(43200, 60 * 3.0 ^ least(p_attempt - 1, 9));
begin
    select * into v_delivery from assay.deliveries where delivery_id = p_delivery_id and attempts = p_attempt for update;
    if not found then
        return jsonb_build_object('accepted', false);
    elsif v_delivery.state <> 'sending' then
        return jsonb_build_object('accepted', true, 'state', v_delivery.state);
    end if;
    v_now := clock_timestamp();
    v_state := case
        when p_delivered then 'delivered'
        when p_attempt >= 10 then 'failed'
        when exists (select from assay.webhooks w where w.webhook_id = v_delivery.webhook_id
            and w.failing_since < v_now - interval '3 days') then 'failed'
        else 'pending' end;
    v_seconds := greatest(random() * v_seconds, least(coalesce(p_retry_after_seconds, 0), 43200));
    update assay.deliveries set state = v_state, http_status = p_http_status, error = p_error,
        next_attempt_at = case when v_state = 'pending' then v_now + make_interval(secs => v_seconds) end,
        ended_at = case when v_state <> 'pending' then v_now end
    where delivery_id = p_delivery_id;
    update assay.webhooks set failing_since = case when not p_delivered then v_now end
    where webhook_id = v_delivery.webhook_id and (failing_since is null) <> p_delivered;
    return jsonb_build_object('accepted', true, 'state', v_state);
end $$;


--
-- Name: sweep_jobs(integer, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.sweep_jobs(p_upload_seconds integer, p_quiet_seconds integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_expired integer;
    v_lost integer;
    v_quiet integer;
    v_failed jsonb;
    v_busy uuid[];
begin
    with batch as (
        select j.job_id from assay.jobs j join assay.uploads u using (upload_id)
        where j.status = 'awaiting_upload' and j.created_at < now() - make_interval(secs => p_upload_seconds)
            and u.last_used < now() - make_interval(secs => p_upload_seconds)
        limit 200 for update of u, j skip locked
    )
    update assay.jobs j set status = 'expired', finished_at = now() from batch where j.job_id = batch.job_id;
    get diagnostics v_expired = row_count;

    with lost as (
        select j from assay.jobs j where j.status = 'running' and j.lease_expires_at < now()
        limit 200 for update skip locked
    ), settled as (
        select assay.settle_lost(j) as j from lost
    )
    select count(*), coalesce(jsonb_agg((s.j).cost) filter (where (s.j).status = 'failed'), '[]')
    into v_lost, v_failed from settled s;

    v_busy := assay.busy_owners();
    with batch as (
        select j.job_id from assay.jobs j
        where j.status = 'queued' and j.run_after < now() - make_interval(secs => p_quiet_seconds) and j.owner <> all (v_busy)
        limit 200 for update skip locked
    )
    update assay.jobs j set run_after = now() from batch where j.job_id = batch.job_id;
    get diagnostics v_quiet = row_count;

    -- The worker of an earlier version asks for `keys`; what it is not told of, the next sweep finds.
    return jsonb_build_object('expired', v_expired, 'lost', v_lost, 'failed', v_failed, 'hints', v_lost + v_quiet,
        'full', greatest(v_expired, v_lost, v_quiet) = 200,
        'keys', '[]'::jsonb, 'waiting', jsonb_build_object(
            'awaiting_upload', (select count(*) from assay.jobs where status = 'awaiting_upload'),
            'queued', (select count(*) from assay.jobs where status = 'queued'),
            'running', (select count(*) from assay.jobs where status = 'running'),
            'needs_type', (select count(*) from assay.jobs where status = 'needs_type' and not cancel_requested)));
end $$;


--
-- Name: deletions; Type: TABLE; Schema: assay; Owner: -
--

CREATE TABLE assay.deletions (
    object_key text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    taken_at timestamp with time zone,
    reusable boolean DEFAULT false NOT NULL,
    again boolean DEFAULT false NOT NULL
);


--
-- Name: deliveries; Type: TABLE; Schema: assay; Owner: -
--

CREATE TABLE assay.deliveries (
    delivery_id uuid DEFAULT gen_random_uuid() NOT NULL,
    webhook_id uuid NOT NULL,
    owner uuid NOT NULL,
    job_id uuid NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now(),
    http_status integer,
    error jsonb,
    ended_at timestamp with time zone,
    CONSTRAINT deliveries_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT deliveries_check CHECK (((state = ANY (ARRAY['pending'::text, 'sending'::text])) = (next_attempt_at IS NOT NULL))),
    CONSTRAINT deliveries_check1 CHECK (((state = ANY (ARRAY['delivered'::text, 'failed'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT deliveries_check2 CHECK (((state <> 'failed'::text) OR (error IS NOT NULL))),
    CONSTRAINT deliveries_error_check CHECK (((error ? 'code'::text) AND (error ? 'detail'::text) AND (error ? 'suggestion'::text))),
    CONSTRAINT deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sending'::text, 'delivered'::text, 'failed'::text]))),
    CONSTRAINT deliveries_type_check CHECK ((type = ANY (ARRAY['job.done'::text, 'job.failed'::text])))
);


--
-- Name: job_events; Type: TABLE; Schema: assay; Owner: -
--

CREATE TABLE assay.job_events (
    event_id bigint NOT NULL,
    job_id uuid NOT NULL,
    owner uuid NOT NULL,
    attempt integer NOT NULL,
    event text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL
);


--
-- Name: job_events_event_id_seq; Type: SEQUENCE; Schema: assay; Owner: -
--

ALTER TABLE assay.job_events ALTER COLUMN event_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME assay.job_events_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: list_prices; Type: TABLE; Schema: assay; Owner: -
--

CREATE TABLE assay.list_prices (
    item text NOT NULL,
    usd numeric NOT NULL,
    unit text NOT NULL,
    source text NOT NULL,
    as_of date NOT NULL,
    CONSTRAINT list_prices_usd_check CHECK (((usd >= (0)::numeric) AND (usd < 'Infinity'::numeric)))
);


--
-- Name: outbox; Type: TABLE; Schema: assay; Owner: -
--

CREATE TABLE assay.outbox (
    object_key text NOT NULL,
    written_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    told_at timestamp with time zone
);


--
-- Name: outputs; Type: TABLE; Schema: assay; Owner: -
--

CREATE TABLE assay.outputs (
    output_id uuid DEFAULT gen_random_uuid() NOT NULL,
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    owner uuid NOT NULL,
    "position" integer NOT NULL,
    name text NOT NULL,
    media_type text NOT NULL,
    object_key text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT outputs_name_check CHECK ((name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'::text)),
    CONSTRAINT outputs_position_check CHECK (("position" > 0)),
    CONSTRAINT outputs_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT outputs_size_bytes_check CHECK ((size_bytes >= 0))
);


--
-- Name: owners; Type: TABLE; Schema: assay; Owner: -
--

CREATE TABLE assay.owners (
    owner uuid NOT NULL,
    plan text DEFAULT 'free'::text NOT NULL,
    stored_bytes bigint DEFAULT 0 NOT NULL,
    uploads_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT owners_stored_bytes_check CHECK ((stored_bytes >= 0))
);


--
-- Name: webhooks; Type: TABLE; Schema: assay; Owner: -
--

CREATE TABLE assay.webhooks (
    webhook_id uuid DEFAULT gen_random_uuid() NOT NULL,
    owner uuid NOT NULL,
    url text NOT NULL,
    secret text,
    request_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    failing_since timestamp with time zone,
    deleted_at timestamp with time zone,
    CONSTRAINT webhooks_check CHECK (((secret IS NULL) = (deleted_at IS NOT NULL))),
    CONSTRAINT webhooks_secret_check CHECK ((secret ~ '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$'::text)),
    CONSTRAINT webhooks_url_check CHECK (((length(url) <= 2048) AND (url ~ '^https?://'::text) AND (url !~ '[[:cntrl:][:space:]]'::text)))
);


--
-- Name: attempts attempts_pkey; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (job_id, attempt);


--
-- Name: deletions deletions_pkey; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.deletions
    ADD CONSTRAINT deletions_pkey PRIMARY KEY (object_key);


--
-- Name: deliveries deliveries_pkey; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (delivery_id);


--
-- Name: job_events job_events_pkey; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.job_events
    ADD CONSTRAINT job_events_pkey PRIMARY KEY (event_id);


--
-- Name: jobs jobs_pkey; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (job_id);


--
-- Name: list_prices list_prices_pkey; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.list_prices
    ADD CONSTRAINT list_prices_pkey PRIMARY KEY (item);


--
-- Name: outbox outbox_pkey; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (object_key);


--
-- Name: outputs outputs_job_id_name_key; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.outputs
    ADD CONSTRAINT outputs_job_id_name_key UNIQUE (job_id, name);


--
-- Name: outputs outputs_object_key_key; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.outputs
    ADD CONSTRAINT outputs_object_key_key UNIQUE (object_key);


--
-- Name: outputs outputs_pkey; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.outputs
    ADD CONSTRAINT outputs_pkey PRIMARY KEY (output_id);


--
-- Name: owners owners_pkey; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.owners
    ADD CONSTRAINT owners_pkey PRIMARY KEY (owner);


--
-- Name: plans plans_pkey; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.plans
    ADD CONSTRAINT plans_pkey PRIMARY KEY (plan);


--
-- Name: uploads uploads_owner_sha256_key; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.uploads
    ADD CONSTRAINT uploads_owner_sha256_key UNIQUE (owner, sha256);


--
-- Name: uploads uploads_pkey; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.uploads
    ADD CONSTRAINT uploads_pkey PRIMARY KEY (upload_id);


--
-- Name: webhooks webhooks_pkey; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (webhook_id);


--
-- Name: attempts_by_live_worker; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX attempts_by_live_worker ON assay.attempts USING btree (worker) WHERE (outcome IS NULL);


--
-- Name: attempts_by_owner; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX attempts_by_owner ON assay.attempts USING btree (owner);


--
-- Name: attempts_one_live; Type: INDEX; Schema: assay; Owner: -
--

CREATE UNIQUE INDEX attempts_one_live ON assay.attempts USING btree (job_id) WHERE (outcome IS NULL);


--
-- Name: deletions_by_due; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX deletions_by_due ON assay.deletions USING btree (due_at);


--
-- Name: deliveries_by_owner; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX deliveries_by_owner ON assay.deliveries USING btree (owner);


--
-- Name: deliveries_by_webhook; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX deliveries_by_webhook ON assay.deliveries USING btree (webhook_id, occurred_at DESC, delivery_id DESC);


--
-- Name: deliveries_ended; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX deliveries_ended ON assay.deliveries USING btree (ended_at) WHERE (ended_at IS NOT NULL);


--
-- Name: deliveries_sending; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX deliveries_sending ON assay.deliveries USING btree (owner) WHERE (state = 'sending'::text);


--
-- Name: deliveries_waiting; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX deliveries_waiting ON assay.deliveries USING btree (webhook_id, next_attempt_at) WHERE (next_attempt_at IS NOT NULL);


--
-- Name: job_events_by_job; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX job_events_by_job ON assay.job_events USING btree (job_id, event_id);


--
-- Name: job_events_by_owner; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX job_events_by_owner ON assay.job_events USING btree (owner);


--
-- Name: jobs_awaiting; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX jobs_awaiting ON assay.jobs USING btree (created_at) WHERE (status = 'awaiting_upload'::text);


--
-- Name: jobs_by_expiry; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX jobs_by_expiry ON assay.jobs USING btree (expires_at) WHERE (expires_at IS NOT NULL);


--
-- Name: jobs_by_owner; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX jobs_by_owner ON assay.jobs USING btree (owner, created_at DESC, job_id DESC);


--
-- Name: jobs_by_owner_and_status; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX jobs_by_owner_and_status ON assay.jobs USING btree (owner, status, created_at DESC, job_id DESC);


--
-- Name: jobs_by_owner_and_turn; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX jobs_by_owner_and_turn ON assay.jobs USING btree (owner, turn DESC) WHERE (status = 'queued'::text);


--
-- Name: jobs_by_turn; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX jobs_by_turn ON assay.jobs USING btree (turn, run_after) WHERE (status = 'queued'::text);


--
-- Name: jobs_by_upload; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX jobs_by_upload ON assay.jobs USING btree (upload_id, created_at DESC);


--
-- Name: jobs_one_under_way; Type: INDEX; Schema: assay; Owner: -
--

CREATE UNIQUE INDEX jobs_one_under_way ON assay.jobs USING btree (upload_id, COALESCE(requested_dataset_type, ''::text), md5((parameters)::text)) WHERE ((status = ANY (ARRAY['awaiting_upload'::text, 'queued'::text, 'running'::text, 'needs_type'::text])) AND (NOT cancel_requested));


--
-- Name: jobs_running; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX jobs_running ON assay.jobs USING btree (owner) WHERE (status = 'running'::text);


--
-- Name: outbox_by_age; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX outbox_by_age ON assay.outbox USING btree (written_at);


--
-- Name: outputs_by_attempt; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX outputs_by_attempt ON assay.outputs USING btree (job_id, attempt);


--
-- Name: outputs_by_owner; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX outputs_by_owner ON assay.outputs USING btree (owner);


--
-- Name: owners_by_plan; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX owners_by_plan ON assay.owners USING btree (plan);


--
-- Name: webhooks_by_owner; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX webhooks_by_owner ON assay.webhooks USING btree (owner, created_at);


--
-- Name: webhooks_deleted; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX webhooks_deleted ON assay.webhooks USING btree (webhook_id) WHERE (deleted_at IS NOT NULL);


--
-- Name: jobs guard_status; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER guard_status BEFORE UPDATE OF status ON assay.jobs FOR EACH ROW EXECUTE FUNCTION assay.guard_status();


--
-- Name: outputs hold_new_outputs; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER hold_new_outputs AFTER INSERT ON assay.outputs REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION assay.hold_outputs();


--
-- Name: outputs hold_no_longer; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER hold_no_longer AFTER DELETE ON assay.outputs REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION assay.hold_outputs();


--
-- Name: uploads hold_upload; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER hold_upload AFTER INSERT OR DELETE ON assay.uploads FOR EACH ROW EXECUTE FUNCTION assay.hold_upload();


--
-- Name: uploads hold_upload_of_other_size; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER hold_upload_of_other_size AFTER UPDATE OF size_bytes ON assay.uploads FOR EACH ROW WHEN ((new.size_bytes <> old.size_bytes)) EXECUTE FUNCTION assay.hold_upload();


--
-- Name: jobs note_ending; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER note_ending AFTER UPDATE OF status ON assay.jobs FOR EACH ROW WHEN ((new.status = ANY (ARRAY['done'::text, 'failed'::text]))) EXECUTE FUNCTION assay.note_ending();


--
-- Name: outputs outputs_never_change; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER outputs_never_change BEFORE UPDATE ON assay.outputs FOR EACH ROW EXECUTE FUNCTION assay.refuse_change();


--
-- Name: jobs record_new_job; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER record_new_job AFTER INSERT ON assay.jobs FOR EACH ROW EXECUTE FUNCTION assay.record_status();


--
-- Name: jobs record_status; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER record_status AFTER UPDATE OF status ON assay.jobs FOR EACH ROW EXECUTE FUNCTION assay.record_status();


--
-- Name: jobs set_cost; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER set_cost BEFORE UPDATE OF status ON assay.jobs FOR EACH ROW WHEN (((old.status = 'running'::text) AND (new.status <> 'running'::text))) EXECUTE FUNCTION assay.set_cost();


--
-- Name: jobs set_expiry; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER set_expiry BEFORE UPDATE OF status ON assay.jobs FOR EACH ROW WHEN ((new.finished_at IS DISTINCT FROM old.finished_at)) EXECUTE FUNCTION assay.set_expiry();


--
-- Name: jobs set_turn; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER set_turn BEFORE UPDATE OF status ON assay.jobs FOR EACH ROW WHEN (((new.status = 'queued'::text) AND (old.status <> 'running'::text))) EXECUTE FUNCTION assay.set_turn();


--
-- Name: jobs set_turn_of_new; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER set_turn_of_new BEFORE INSERT ON assay.jobs FOR EACH ROW WHEN ((new.status = 'queued'::text)) EXECUTE FUNCTION assay.set_turn();


--
-- Name: attempts attempts_job_id_fkey; Type: FK CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.attempts
    ADD CONSTRAINT attempts_job_id_fkey FOREIGN KEY (job_id) REFERENCES assay.jobs(job_id) ON DELETE CASCADE;


--
-- Name: deliveries deliveries_webhook_id_fkey; Type: FK CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.deliveries
    ADD CONSTRAINT deliveries_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES assay.webhooks(webhook_id) ON DELETE CASCADE;


--
-- Name: job_events job_events_job_id_fkey; Type: FK CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.job_events
    ADD CONSTRAINT job_events_job_id_fkey FOREIGN KEY (job_id) REFERENCES assay.jobs(job_id) ON DELETE CASCADE;


--
-- Name: jobs jobs_upload_id_fkey; Type: FK CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.jobs
    ADD CONSTRAINT jobs_upload_id_fkey FOREIGN KEY (upload_id) REFERENCES assay.uploads(upload_id) ON DELETE CASCADE;


--
-- Name: outputs outputs_job_id_attempt_fkey; Type: FK CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.outputs
    ADD CONSTRAINT outputs_job_id_attempt_fkey FOREIGN KEY (job_id, attempt) REFERENCES assay.attempts(job_id, attempt) ON DELETE CASCADE;


--
-- Name: owners owners_plan_fkey; Type: FK CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.owners
    ADD CONSTRAINT owners_plan_fkey FOREIGN KEY (plan) REFERENCES assay.plans(plan);


--
-- Name: attempts; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.attempts ENABLE ROW LEVEL SECURITY;

--
-- Name: deletions; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.deletions ENABLE ROW LEVEL SECURITY;

--
-- Name: deliveries; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.deliveries ENABLE ROW LEVEL SECURITY;

--
-- Name: job_events; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.job_events ENABLE ROW LEVEL SECURITY;

--
-- Name: jobs; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.jobs ENABLE ROW LEVEL SECURITY;

--
-- Name: list_prices; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.list_prices ENABLE ROW LEVEL SECURITY;

--
-- Name: outbox; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.outbox ENABLE ROW LEVEL SECURITY;

--
-- Name: outputs; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.outputs ENABLE ROW LEVEL SECURITY;

--
-- Name: attempts owner_reads; Type: POLICY; Schema: assay; Owner: -
--

CREATE POLICY owner_reads ON assay.attempts FOR SELECT TO authenticated USING ((owner = ( SELECT auth.uid() AS uid)));


--
-- Name: deliveries owner_reads; Type: POLICY; Schema: assay; Owner: -
--

CREATE POLICY owner_reads ON assay.deliveries FOR SELECT TO authenticated USING ((owner = ( SELECT auth.uid() AS uid)));


--
-- Name: job_events owner_reads; Type: POLICY; Schema: assay; Owner: -
--

CREATE POLICY owner_reads ON assay.job_events FOR SELECT TO authenticated USING ((owner = ( SELECT auth.uid() AS uid)));


--
-- Name: jobs owner_reads; Type: POLICY; Schema: assay; Owner: -
--

CREATE POLICY owner_reads ON assay.jobs FOR SELECT TO authenticated USING ((owner = ( SELECT auth.uid() AS uid)));


--
-- Name: outputs owner_reads; Type: POLICY; Schema: assay; Owner: -
--

CREATE POLICY owner_reads ON assay.outputs FOR SELECT TO authenticated USING ((owner = ( SELECT auth.uid() AS uid)));


--
-- Name: uploads owner_reads; Type: POLICY; Schema: assay; Owner: -
--

CREATE POLICY owner_reads ON assay.uploads FOR SELECT TO authenticated USING ((owner = ( SELECT auth.uid() AS uid)));


--
-- Name: webhooks owner_reads; Type: POLICY; Schema: assay; Owner: -
--

CREATE POLICY owner_reads ON assay.webhooks FOR SELECT TO authenticated USING ((owner = ( SELECT auth.uid() AS uid)));


--
-- Name: owners; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.owners ENABLE ROW LEVEL SECURITY;

--
-- Name: plans; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.plans ENABLE ROW LEVEL SECURITY;

--
-- Name: uploads; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.uploads ENABLE ROW LEVEL SECURITY;

--
-- Name: webhooks; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.webhooks ENABLE ROW LEVEL SECURITY;

--
-- Name: SCHEMA assay; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA assay TO authenticated;
GRANT USAGE ON SCHEMA assay TO service_role;


--
-- Name: SCHEMA public; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA public TO anon;
GRANT USAGE ON SCHEMA public TO authenticated;
GRANT USAGE ON SCHEMA public TO service_role;


--
-- Name: FUNCTION admit(p_owner uuid); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.admit(p_owner uuid) FROM PUBLIC;


--
-- Name: FUNCTION answer_ended(p_job_id uuid, p_attempt integer, p_outcomes text[]); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.answer_ended(p_job_id uuid, p_attempt integer, p_outcomes text[]) FROM PUBLIC;


--
-- Name: FUNCTION busy_owners(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.busy_owners() FROM PUBLIC;


--
-- Name: FUNCTION cancel_running(p_job_id uuid, p_attempt integer); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.cancel_running(p_job_id uuid, p_attempt integer) FROM PUBLIC;


--
-- Name: TABLE jobs; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT ON TABLE assay.jobs TO authenticated;


--
-- Name: FUNCTION claim_json(p_job assay.jobs); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.claim_json(p_job assay.jobs) FROM PUBLIC;


--
-- Name: FUNCTION delete_later(p_key text, p_due_at timestamp with time zone, p_reusable boolean); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.delete_later(p_key text, p_due_at timestamp with time zone, p_reusable boolean) FROM PUBLIC;


--
-- Name: TABLE attempts; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT ON TABLE assay.attempts TO authenticated;


--
-- Name: FUNCTION delete_outputs_of(p_attempt assay.attempts); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.delete_outputs_of(p_attempt assay.attempts) FROM PUBLIC;


--
-- Name: FUNCTION end_attempt(p_job_id uuid, p_attempt integer, p_outcome text, p_error jsonb); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.end_attempt(p_job_id uuid, p_attempt integer, p_outcome text, p_error jsonb) FROM PUBLIC;


--
-- Name: FUNCTION export_jobs(p_owner uuid, p_after jsonb, p_limit integer); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.export_jobs(p_owner uuid, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION assay.export_jobs(p_owner uuid, p_after jsonb, p_limit integer) TO authenticated;


--
-- Name: FUNCTION export_uploads(p_owner uuid, p_after jsonb, p_limit integer); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.export_uploads(p_owner uuid, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION assay.export_uploads(p_owner uuid, p_after jsonb, p_limit integer) TO authenticated;


--
-- Name: FUNCTION export_webhooks(p_owner uuid, p_after jsonb, p_limit integer); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.export_webhooks(p_owner uuid, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION assay.export_webhooks(p_owner uuid, p_after jsonb, p_limit integer) TO authenticated;


--
-- Name: FUNCTION forget_deliveries(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.forget_deliveries() FROM PUBLIC;


--
-- Name: FUNCTION forget_object(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.forget_object() FROM PUBLIC;


--
-- Name: FUNCTION guard_status(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.guard_status() FROM PUBLIC;


--
-- Name: FUNCTION has_queued(p_owner uuid); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.has_queued(p_owner uuid) FROM PUBLIC;


--
-- Name: FUNCTION hold(p_owner uuid, p_bytes bigint); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.hold(p_owner uuid, p_bytes bigint) FROM PUBLIC;


--
-- Name: FUNCTION hold_outputs(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.hold_outputs() FROM PUBLIC;


--
-- Name: FUNCTION hold_upload(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.hold_upload() FROM PUBLIC;


--
-- Name: FUNCTION job_cost(p_job assay.jobs); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.job_cost(p_job assay.jobs) FROM PUBLIC;


--
-- Name: FUNCTION job_json(p_job assay.jobs); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.job_json(p_job assay.jobs) FROM PUBLIC;
GRANT ALL ON FUNCTION assay.job_json(p_job assay.jobs) TO authenticated;


--
-- Name: FUNCTION lock_attempt(p_job_id uuid, p_attempt integer); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.lock_attempt(p_job_id uuid, p_attempt integer) FROM PUBLIC;


--
-- Name: FUNCTION lock_bytes(p_key text); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.lock_bytes(p_key text) FROM PUBLIC;


--
-- Name: TABLE uploads; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT ON TABLE assay.uploads TO authenticated;


--
-- Name: FUNCTION lock_own_job(p_job_id uuid, OUT upload assay.uploads, OUT job assay.jobs); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.lock_own_job(p_job_id uuid, OUT upload assay.uploads, OUT job assay.jobs) FROM PUBLIC;


--
-- Name: FUNCTION new_secret(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.new_secret() FROM PUBLIC;


--
-- Name: FUNCTION note_ending(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.note_ending() FROM PUBLIC;


--
-- Name: FUNCTION note_object(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.note_object() FROM PUBLIC;


--
-- Name: FUNCTION plan_of(p_owner uuid); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.plan_of(p_owner uuid) FROM PUBLIC;


--
-- Name: FUNCTION raise_problem(p_status integer, p_code text, p_detail text, p_suggestion text); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.raise_problem(p_status integer, p_code text, p_detail text, p_suggestion text) FROM PUBLIC;
GRANT ALL ON FUNCTION assay.raise_problem(p_status integer, p_code text, p_detail text, p_suggestion text) TO authenticated;


--
-- Name: FUNCTION record_status(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.record_status() FROM PUBLIC;


--
-- Name: FUNCTION refuse_change(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.refuse_change() FROM PUBLIC;


--
-- Name: FUNCTION remove_job(p_job_id uuid); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.remove_job(p_job_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION require_stored(p_upload assay.uploads); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.require_stored(p_upload assay.uploads) FROM PUBLIC;


--
-- Name: FUNCTION running_jobs(p_owner uuid); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.running_jobs(p_owner uuid) FROM PUBLIC;


--
-- Name: FUNCTION set_cost(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.set_cost() FROM PUBLIC;


--
-- Name: FUNCTION set_expiry(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.set_expiry() FROM PUBLIC;


--
-- Name: FUNCTION set_turn(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.set_turn() FROM PUBLIC;


--
-- Name: FUNCTION settle_lost(p_job assay.jobs); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.settle_lost(p_job assay.jobs) FROM PUBLIC;


--
-- Name: FUNCTION signed_in_owner(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.signed_in_owner() FROM PUBLIC;


--
-- Name: FUNCTION start_attempt(p_job_id uuid, p_worker text, p_lease_seconds integer, p_memory_mb integer); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.start_attempt(p_job_id uuid, p_worker text, p_lease_seconds integer, p_memory_mb integer) FROM PUBLIC;


--
-- Name: FUNCTION start_next(p_worker text, p_lease_seconds integer, p_memory_mb integer); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.start_next(p_worker text, p_lease_seconds integer, p_memory_mb integer) FROM PUBLIC;


--
-- Name: FUNCTION webhook_json(p_webhook_id uuid); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.webhook_json(p_webhook_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION assay.webhook_json(p_webhook_id uuid) TO authenticated;


--
-- Name: FUNCTION await_type(p_job_id uuid, p_attempt integer, p_detection jsonb); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.await_type(p_job_id uuid, p_attempt integer, p_detection jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.await_type(p_job_id uuid, p_attempt integer, p_detection jsonb) TO service_role;


--
-- Name: FUNCTION cancel_job(p_job_id uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.cancel_job(p_job_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.cancel_job(p_job_id uuid) TO authenticated;


--
-- Name: FUNCTION choose_type(p_job_id uuid, p_dataset_type text); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.choose_type(p_job_id uuid, p_dataset_type text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.choose_type(p_job_id uuid, p_dataset_type text) TO authenticated;


--
-- Name: FUNCTION claim_deliveries(p_limit integer, p_lease_seconds integer, p_sweep boolean); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.claim_deliveries(p_limit integer, p_lease_seconds integer, p_sweep boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_deliveries(p_limit integer, p_lease_seconds integer, p_sweep boolean) TO service_role;


--
-- Name: FUNCTION claim_job(p_worker text, p_lease_seconds integer, p_memory_mb integer, p_job_id uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.claim_job(p_worker text, p_lease_seconds integer, p_memory_mb integer, p_job_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_job(p_worker text, p_lease_seconds integer, p_memory_mb integer, p_job_id uuid) TO service_role;


--
-- Name: FUNCTION clean_up(p_quiet_seconds integer); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.clean_up(p_quiet_seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.clean_up(p_quiet_seconds integer) TO service_role;


--
-- Name: FUNCTION create_webhook(p_url text, p_request_id uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.create_webhook(p_url text, p_request_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_webhook(p_url text, p_request_id uuid) TO authenticated;


--
-- Name: FUNCTION delete_account(p_limit integer); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.delete_account(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_account(p_limit integer) TO authenticated;


--
-- Name: FUNCTION delete_job(p_job_id uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.delete_job(p_job_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_job(p_job_id uuid) TO authenticated;


--
-- Name: FUNCTION delete_webhook(p_webhook_id uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.delete_webhook(p_webhook_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_webhook(p_webhook_id uuid) TO authenticated;


--
-- Name: FUNCTION deliveries_due(p_owner uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.deliveries_due(p_owner uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.deliveries_due(p_owner uuid) TO service_role;


--
-- Name: FUNCTION drain_outbox(p_quiet_seconds integer); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.drain_outbox(p_quiet_seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.drain_outbox(p_quiet_seconds integer) TO service_role;


--
-- Name: FUNCTION export_account(p_limit integer, p_after jsonb); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.export_account(p_limit integer, p_after jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.export_account(p_limit integer, p_after jsonb) TO authenticated;


--
-- Name: FUNCTION fail_job(p_job_id uuid, p_attempt integer, p_error jsonb, p_retry_after_seconds integer); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.fail_job(p_job_id uuid, p_attempt integer, p_error jsonb, p_retry_after_seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.fail_job(p_job_id uuid, p_attempt integer, p_error jsonb, p_retry_after_seconds integer) TO service_role;


--
-- Name: FUNCTION finish_job(p_job_id uuid, p_attempt integer, p_dataset_type text, p_pipeline text, p_pipeline_version text, p_summary jsonb, p_manifest_sha256 text, p_outputs jsonb); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.finish_job(p_job_id uuid, p_attempt integer, p_dataset_type text, p_pipeline text, p_pipeline_version text, p_summary jsonb, p_manifest_sha256 text, p_outputs jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.finish_job(p_job_id uuid, p_attempt integer, p_dataset_type text, p_pipeline text, p_pipeline_version text, p_summary jsonb, p_manifest_sha256 text, p_outputs jsonb) TO service_role;


--
-- Name: FUNCTION get_account(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.get_account() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_account() TO authenticated;


--
-- Name: FUNCTION get_job(p_job_id uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.get_job(p_job_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_job(p_job_id uuid) TO authenticated;


--
-- Name: FUNCTION get_output(p_output_id uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.get_output(p_output_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_output(p_output_id uuid) TO authenticated;


--
-- Name: FUNCTION list_deliveries(p_webhook_id uuid, p_limit integer, p_before_occurred_at timestamp with time zone, p_before_delivery_id uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.list_deliveries(p_webhook_id uuid, p_limit integer, p_before_occurred_at timestamp with time zone, p_before_delivery_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_deliveries(p_webhook_id uuid, p_limit integer, p_before_occurred_at timestamp with time zone, p_before_delivery_id uuid) TO authenticated;


--
-- Name: FUNCTION list_jobs(p_status text, p_limit integer, p_before_created_at timestamp with time zone, p_before_job_id uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.list_jobs(p_status text, p_limit integer, p_before_created_at timestamp with time zone, p_before_job_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_jobs(p_status text, p_limit integer, p_before_created_at timestamp with time zone, p_before_job_id uuid) TO authenticated;


--
-- Name: FUNCTION list_outputs(p_job_id uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.list_outputs(p_job_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_outputs(p_job_id uuid) TO authenticated;


--
-- Name: FUNCTION list_webhooks(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.list_webhooks() FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_webhooks() TO authenticated;


--
-- Name: FUNCTION object_created(p_key text); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.object_created(p_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.object_created(p_key text) TO service_role;


--
-- Name: FUNCTION objects_deleted(p_keys jsonb); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.objects_deleted(p_keys jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.objects_deleted(p_keys jsonb) TO service_role;


--
-- Name: FUNCTION register_upload(p_filename text, p_size_bytes bigint, p_sha256 text, p_dataset_type text, p_parameters jsonb, p_on_duplicate text, p_pipeline_versions jsonb); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.register_upload(p_filename text, p_size_bytes bigint, p_sha256 text, p_dataset_type text, p_parameters jsonb, p_on_duplicate text, p_pipeline_versions jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.register_upload(p_filename text, p_size_bytes bigint, p_sha256 text, p_dataset_type text, p_parameters jsonb, p_on_duplicate text, p_pipeline_versions jsonb) TO authenticated;


--
-- Name: FUNCTION report_progress(p_job_id uuid, p_attempt integer, p_lease_seconds integer, p_progress double precision, p_stage text, p_detection jsonb, p_max_attempts integer); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.report_progress(p_job_id uuid, p_attempt integer, p_lease_seconds integer, p_progress double precision, p_stage text, p_detection jsonb, p_max_attempts integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.report_progress(p_job_id uuid, p_attempt integer, p_lease_seconds integer, p_progress double precision, p_stage text, p_detection jsonb, p_max_attempts integer) TO service_role;


--
-- Name: FUNCTION reprocess_job(p_job_id uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.reprocess_job(p_job_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.reprocess_job(p_job_id uuid) TO authenticated;


--
-- Name: FUNCTION retry_job(p_job_id uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.retry_job(p_job_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.retry_job(p_job_id uuid) TO authenticated;


--
-- Name: FUNCTION set_plan(p_owner uuid, p_plan text); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.set_plan(p_owner uuid, p_plan text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_plan(p_owner uuid, p_plan text) TO service_role;


--
-- Name: FUNCTION settle_delivery(p_delivery_id uuid, p_attempt integer, p_delivered boolean, p_http_status integer, p_error jsonb, p_retry_after_seconds integer); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.settle_delivery(p_delivery_id uuid, p_attempt integer, p_delivered boolean, p_http_status integer, p_error jsonb, p_retry_after_seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.settle_delivery(p_delivery_id uuid, p_attempt integer, p_delivered boolean, p_http_status integer, p_error jsonb, p_retry_after_seconds integer) TO service_role;


--
-- Name: FUNCTION sweep_jobs(p_upload_seconds integer, p_quiet_seconds integer); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.sweep_jobs(p_upload_seconds integer, p_quiet_seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sweep_jobs(p_upload_seconds integer, p_quiet_seconds integer) TO service_role;


--
-- Name: TABLE deliveries; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT ON TABLE assay.deliveries TO authenticated;


--
-- Name: TABLE job_events; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT ON TABLE assay.job_events TO authenticated;


--
-- Name: TABLE outputs; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT ON TABLE assay.outputs TO authenticated;


--
-- Name: COLUMN webhooks.webhook_id; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT(webhook_id) ON TABLE assay.webhooks TO authenticated;


--
-- Name: COLUMN webhooks.owner; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT(owner) ON TABLE assay.webhooks TO authenticated;


--
-- Name: COLUMN webhooks.url; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT(url) ON TABLE assay.webhooks TO authenticated;


--
-- Name: COLUMN webhooks.created_at; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT(created_at) ON TABLE assay.webhooks TO authenticated;


--
-- Name: COLUMN webhooks.failing_since; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT(failing_since) ON TABLE assay.webhooks TO authenticated;


--
-- Name: COLUMN webhooks.deleted_at; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT(deleted_at) ON TABLE assay.webhooks TO authenticated;


--
-- PostgreSQL database dump complete
--


CREATE TRIGGER assay_forget_object AFTER DELETE ON storage.objects FOR EACH ROW WHEN (((old.bucket_id = 'assay'::text) AND (old.name ~~ 'uploads/%'::text))) EXECUTE FUNCTION assay.forget_object();
CREATE TRIGGER assay_note_object AFTER INSERT OR UPDATE ON storage.objects FOR EACH ROW WHEN (((new.bucket_id = 'assay'::text) AND (new.name ~~ 'uploads/%'::text))) EXECUTE FUNCTION assay.note_object();
