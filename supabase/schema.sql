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
-- Name: answer_ended(uuid, integer, text[]); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.answer_ended(p_job_id uuid, p_attempt integer, p_outcomes text[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select coalesce(
        (select jsonb_build_object('accepted', true, 'status', j.status, 'cost', j.cost)
         from assay.jobs j join assay.attempts a using (job_id, attempt)
         where j.job_id = p_job_id and j.attempt = p_attempt and a.outcome = any (p_outcomes)),
        jsonb_build_object('accepted', false, 'reason', 'stale_attempt'))
$$;


--
-- Name: cancel_running(uuid, integer); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.cancel_running(p_job_id uuid, p_attempt integer) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_cost jsonb;
begin
    perform assay.end_attempt(p_job_id, p_attempt, 'cancelled', null);
    update assay.jobs set status = 'cancelled', lease_expires_at = null, finished_at = now()
    where job_id = p_job_id returning cost into v_cost;
    return jsonb_build_object('accepted', false, 'reason', 'cancelled', 'status', 'cancelled', 'cost', v_cost);
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
    CONSTRAINT jobs_check CHECK (((attempt >= 0) AND (attempt <= max_attempts))),
    CONSTRAINT jobs_check1 CHECK (((status = 'running'::text) = (lease_expires_at IS NOT NULL))),
    CONSTRAINT jobs_check2 CHECK (((status = ANY (ARRAY['done'::text, 'failed'::text, 'cancelled'::text, 'expired'::text])) = (finished_at IS NOT NULL))),
    CONSTRAINT jobs_check3 CHECK (((status <> 'failed'::text) OR (error IS NOT NULL))),
    CONSTRAINT jobs_check4 CHECK (((status <> 'done'::text) OR ((pipeline IS NOT NULL) AND (pipeline_version IS NOT NULL) AND (manifest_sha256 IS NOT NULL)))),
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
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select jsonb_build_object('claimed', true, 'attempt', p_job.attempt, 'owner', p_job.owner,
        'object_key', 'uploads/' || u.owner || '/' || u.sha256, 'job', assay.job_json(p_job))
    from assay.uploads u where u.upload_id = p_job.upload_id
$$;


--
-- Name: end_attempt(uuid, integer, text, jsonb); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.end_attempt(p_job_id uuid, p_attempt integer, p_outcome text, p_error jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    update assay.attempts set ended_at = now(), outcome = p_outcome, error = p_error
    where job_id = p_job_id and attempt = p_attempt
$$;


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
        ('needs_type', 'queued'), ('needs_type', 'cancelled')
    ) then
        raise exception 'a job cannot go from % to %', old.status, new.status using errcode = 'check_violation';
    end if;
    return new;
end $$;


--
-- Name: job_cost(assay.jobs); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.job_cost(p_job assay.jobs) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    with tried as (
        select count(*) as attempts,
            sum(greatest(least(extract(epoch from a.ended_at - a.started_at), 900), 0) * a.memory_mb / 1024) as gb_seconds
        from assay.attempts a where a.job_id = p_job.job_id and a.ended_at is not null
    ), made as (
        select count(*) as outputs, p_job.size_bytes + coalesce(sum(o.size_bytes), 0) as stored_bytes
        from assay.outputs o where o.job_id = p_job.job_id
    ), counted as (
        select line.part, line.item, line.quantity
        from tried, made, lateral (values
            ('compute', 'lambda_gb_second', tried.gb_seconds),
            ('requests', 'lambda_request', 1 + tried.attempts),
            ('requests', 'sqs_request', 3 * tried.attempts),
            ('requests', 's3_put', 1 + made.outputs),
            ('requests', 's3_get', tried.attempts),
            ('storage_month', 's3_gb_month', made.stored_bytes / 1073741824)) as line (part, item, quantity)
    ), priced as (
        select round(sum(c.quantity * p.usd) filter (where c.part = 'compute'), 10) as compute,
            round(sum(c.quantity * p.usd) filter (where c.part = 'requests'), 10) as requests,
            round(sum(c.quantity * p.usd) filter (where c.part = 'storage_month'), 10) as storage_month,
            sum(c.quantity) filter (where c.part = 'requests') as request_count,
            min(p.as_of) as prices_as_of
        from counted c left join assay.list_prices p using (item)
        having count(c.quantity * p.usd) = count(*)
    )
    select jsonb_build_object('currency', 'USD', 'total', priced.compute + priced.requests + priced.storage_month,
        'compute', priced.compute, 'requests', priced.requests, 'storage_month', priced.storage_month,
        'gb_seconds', round(tried.gb_seconds, 6), 'request_count', priced.request_count,
        'stored_bytes', made.stored_bytes, 'prices_as_of', priced.prices_as_of)
    from priced, tried, made
$$;


--
-- Name: job_json(assay.jobs); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.job_json(p_job assay.jobs) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select jsonb_build_object(
        'job_id', p_job.job_id, 'status', p_job.status, 'filename', p_job.filename,
        'sha256', u.sha256, 'size_bytes', p_job.size_bytes,
        'requested_dataset_type', p_job.requested_dataset_type, 'dataset_type', p_job.dataset_type,
        'pipeline', p_job.pipeline, 'pipeline_version', p_job.pipeline_version, 'parameters', p_job.parameters,
        'progress', round(p_job.progress::numeric, 4), 'stage', p_job.stage, 'detection', p_job.detection,
        'error', p_job.error, 'summary', p_job.summary, 'manifest_sha256', p_job.manifest_sha256,
        'cancel_requested', p_job.cancel_requested, 'created_at', p_job.created_at,
        'started_at', p_job.started_at, 'finished_at', p_job.finished_at, 'cost', p_job.cost)
    from assay.uploads u where u.upload_id = p_job.upload_id
$$;


--
-- Name: lock_attempt(uuid, integer); Type: FUNCTION; Schema: assay; Owner: -
--

CREATE FUNCTION assay.lock_attempt(p_job_id uuid, p_attempt integer) RETURNS assay.jobs
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select * from assay.jobs where job_id = p_job_id and attempt = p_attempt and status = 'running' for update
$$;


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
    update assay.attempts set ended_at = v_now, outcome = 'lost'
    where job_id = p_job.job_id and attempt = p_job.attempt and outcome is null;
    update assay.jobs set status = v_status, lease_expires_at = null, run_after = v_now,
        stage = case when v_status = 'queued' then 'waiting for a worker' end,
        finished_at = case when v_status <> 'queued' then v_now end,
        error = case when v_status = 'failed' then jsonb_build_object(
            'code', 'attempts_exhausted',
            'detail', 'The job was tried ' || p_job.attempt || ' times and its worker was lost each time.',
            'suggestion', 'Upload the file again with on_duplicate "reprocess"; if it is very large, split it.') end
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
    return jsonb_build_object('accepted', true, 'status', 'needs_type', 'cost', v_job.cost);
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
-- Name: claim_job(uuid, text, integer, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.claim_job(p_job_id uuid, p_worker text, p_lease_seconds integer, p_memory_mb integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_job assay.jobs;
    v_now timestamptz;
begin
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

    update assay.jobs set status = 'running', attempt = attempt + 1,
        lease_expires_at = v_now + make_interval(secs => p_lease_seconds),
        started_at = coalesce(started_at, v_now), progress = 0, stage = 'starting'
    where job_id = p_job_id returning * into v_job;
    insert into assay.attempts (job_id, attempt, owner, worker, started_at, memory_mb)
    values (p_job_id, v_job.attempt, v_job.owner, p_worker, v_now, p_memory_mb);
    return assay.claim_json(v_job);
end $$;


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
-- Name: fail_job(uuid, integer, jsonb, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.fail_job(p_job_id uuid, p_attempt integer, p_error jsonb, p_retry_after_seconds integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_job assay.jobs := assay.lock_attempt(p_job_id, p_attempt);
begin
    if v_job.job_id is null then
        return assay.answer_ended(p_job_id, p_attempt, '{failed,retry}');
    elsif v_job.cancel_requested then
        return assay.cancel_running(p_job_id, p_attempt);
    elsif p_retry_after_seconds is not null and p_attempt < v_job.max_attempts then
        perform assay.end_attempt(p_job_id, p_attempt, 'retry', p_error);
        update assay.jobs set status = 'queued', lease_expires_at = null, stage = 'waiting to try again',
            run_after = clock_timestamp() + make_interval(secs => p_retry_after_seconds)
        where job_id = p_job_id returning * into v_job;
        return jsonb_build_object('accepted', true, 'status', 'queued', 'cost', v_job.cost);
    end if;
    perform assay.end_attempt(p_job_id, p_attempt, 'failed', p_error);
    update assay.jobs set status = 'failed', error = p_error, lease_expires_at = null, finished_at = now(), stage = null
    where job_id = p_job_id returning * into v_job;
    return jsonb_build_object('accepted', true, 'status', 'failed', 'cost', v_job.cost);
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
    return jsonb_build_object('accepted', true, 'status', 'done', 'cost', v_job.cost);
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
end $_$;


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
    v_job assay.jobs;
begin
    if p_on_duplicate is null or p_on_duplicate not in ('reuse', 'reprocess') then
        perform assay.raise_problem(422, 'invalid_request', 'on_duplicate is neither reuse nor reprocess.',
            'Send "reuse" or "reprocess".');
    end if;

    insert into assay.uploads as u (owner, sha256, size_bytes, filename)
    values (v_owner, p_sha256, p_size_bytes, p_filename)
    on conflict (owner, sha256) do update set
        last_used = now(), times_used = u.times_used + 1, filename = excluded.filename,
        size_bytes = excluded.size_bytes
    returning * into v_upload;

    -- A job whose last worker was lost answers nothing any more.
    perform assay.settle_lost(j) from assay.jobs j
    where j.upload_id = v_upload.upload_id and j.status = 'running' and j.lease_expires_at < now()
        and (j.cancel_requested or j.attempt >= j.max_attempts);

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
        insert into assay.jobs (owner, upload_id, filename, size_bytes, requested_dataset_type, parameters)
        values (v_owner, v_upload.upload_id, p_filename, p_size_bytes, p_dataset_type, p_parameters)
        returning * into v_job;
    elsif v_job.status = 'awaiting_upload' and v_job.size_bytes <> p_size_bytes then
        -- A size is a claim; until the bytes are there the last one counts.
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
-- Name: report_progress(uuid, integer, integer, double precision, text, jsonb); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.report_progress(p_job_id uuid, p_attempt integer, p_lease_seconds integer, p_progress double precision, p_stage text, p_detection jsonb) RETURNS jsonb
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
        progress = greatest(progress, p_progress::real), stage = p_stage, detection = coalesce(p_detection, detection)
    where job_id = p_job_id;
    return jsonb_build_object('accepted', true, 'cancel_requested', v_job.cancel_requested);
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
    v_keys jsonb;
    v_failed jsonb;
begin
    update assay.jobs set status = 'expired', finished_at = now()
    where job_id in (
        select j.job_id from assay.jobs j join assay.uploads u using (upload_id)
        where j.status = 'awaiting_upload' and u.last_used < now() - make_interval(secs => p_upload_seconds)
        limit 1000 for update of j skip locked);
    get diagnostics v_expired = row_count;

    -- Those that are queued again are named at once: no message of theirs is certain to come.
    with lost as (
        select j from assay.jobs j where j.status = 'running' and j.lease_expires_at < now()
        limit 1000 for update skip locked
    ), settled as (
        select assay.settle_lost(j) as j from lost
    )
    select count(*), coalesce(jsonb_agg('uploads/' || u.owner || '/' || u.sha256) filter (where (s.j).status = 'queued'), '[]'),
        coalesce(jsonb_agg((s.j).cost) filter (where (s.j).status = 'failed'), '[]')
    into v_lost, v_keys, v_failed
    from settled s join assay.uploads u on u.upload_id = (s.j).upload_id;

    with quiet as (
        select j.job_id from assay.jobs j
        where j.status = 'queued' and j.run_after < now() - make_interval(secs => p_quiet_seconds)
        limit 1000 for update skip locked
    ), told as (
        update assay.jobs j set run_after = now() from quiet where j.job_id = quiet.job_id returning j.upload_id
    )
    select v_keys || coalesce(jsonb_agg('uploads/' || u.owner || '/' || u.sha256), '[]') into v_keys
    from told join assay.uploads u using (upload_id);

    return jsonb_build_object('expired', v_expired, 'lost', v_lost, 'failed', v_failed, 'keys', v_keys, 'waiting', jsonb_build_object(
        'awaiting_upload', (select count(*) from assay.jobs where status = 'awaiting_upload'),
        'queued', (select count(*) from assay.jobs where status = 'queued'),
        'running', (select count(*) from assay.jobs where status = 'running'),
        'needs_type', (select count(*) from assay.jobs where status = 'needs_type' and not cancel_requested)));
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
    CONSTRAINT attempts_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'failed'::text, 'retry'::text, 'needs_type'::text, 'cancelled'::text, 'lost'::text])))
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
    CONSTRAINT uploads_filename_check CHECK (((length(filename) >= 1) AND (length(filename) <= 255))),
    CONSTRAINT uploads_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT uploads_size_bytes_check CHECK ((size_bytes > 0)),
    CONSTRAINT uploads_times_used_check CHECK ((times_used > 0))
);


--
-- Name: attempts attempts_pkey; Type: CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (job_id, attempt);


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
-- Name: attempts_by_owner; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX attempts_by_owner ON assay.attempts USING btree (owner);


--
-- Name: attempts_one_live; Type: INDEX; Schema: assay; Owner: -
--

CREATE UNIQUE INDEX attempts_one_live ON assay.attempts USING btree (job_id) WHERE (outcome IS NULL);


--
-- Name: job_events_by_job; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX job_events_by_job ON assay.job_events USING btree (job_id, event_id);


--
-- Name: job_events_by_owner; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX job_events_by_owner ON assay.job_events USING btree (owner);


--
-- Name: jobs_by_owner; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX jobs_by_owner ON assay.jobs USING btree (owner, created_at DESC, job_id DESC);


--
-- Name: jobs_by_owner_and_status; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX jobs_by_owner_and_status ON assay.jobs USING btree (owner, status, created_at DESC, job_id DESC);


--
-- Name: jobs_by_upload; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX jobs_by_upload ON assay.jobs USING btree (upload_id, created_at DESC);


--
-- Name: jobs_one_under_way; Type: INDEX; Schema: assay; Owner: -
--

CREATE UNIQUE INDEX jobs_one_under_way ON assay.jobs USING btree (upload_id, COALESCE(requested_dataset_type, ''::text), md5((parameters)::text)) WHERE ((status = ANY (ARRAY['awaiting_upload'::text, 'queued'::text, 'running'::text, 'needs_type'::text])) AND (NOT cancel_requested));


--
-- Name: jobs_to_sweep; Type: INDEX; Schema: assay; Owner: -
--

CREATE INDEX jobs_to_sweep ON assay.jobs USING btree (status, lease_expires_at, run_after) WHERE (status = ANY (ARRAY['awaiting_upload'::text, 'queued'::text, 'running'::text]));


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
-- Name: jobs guard_status; Type: TRIGGER; Schema: assay; Owner: -
--

CREATE TRIGGER guard_status BEFORE UPDATE OF status ON assay.jobs FOR EACH ROW EXECUTE FUNCTION assay.guard_status();


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
-- Name: attempts attempts_job_id_fkey; Type: FK CONSTRAINT; Schema: assay; Owner: -
--

ALTER TABLE ONLY assay.attempts
    ADD CONSTRAINT attempts_job_id_fkey FOREIGN KEY (job_id) REFERENCES assay.jobs(job_id) ON DELETE CASCADE;


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
-- Name: attempts; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.attempts ENABLE ROW LEVEL SECURITY;

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
-- Name: uploads; Type: ROW SECURITY; Schema: assay; Owner: -
--

ALTER TABLE assay.uploads ENABLE ROW LEVEL SECURITY;

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
-- Name: FUNCTION answer_ended(p_job_id uuid, p_attempt integer, p_outcomes text[]); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.answer_ended(p_job_id uuid, p_attempt integer, p_outcomes text[]) FROM PUBLIC;


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
-- Name: FUNCTION end_attempt(p_job_id uuid, p_attempt integer, p_outcome text, p_error jsonb); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.end_attempt(p_job_id uuid, p_attempt integer, p_outcome text, p_error jsonb) FROM PUBLIC;


--
-- Name: FUNCTION guard_status(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.guard_status() FROM PUBLIC;


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
-- Name: FUNCTION note_object(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.note_object() FROM PUBLIC;


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
-- Name: FUNCTION set_cost(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.set_cost() FROM PUBLIC;


--
-- Name: FUNCTION settle_lost(p_job assay.jobs); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.settle_lost(p_job assay.jobs) FROM PUBLIC;


--
-- Name: FUNCTION signed_in_owner(); Type: ACL; Schema: assay; Owner: -
--

REVOKE ALL ON FUNCTION assay.signed_in_owner() FROM PUBLIC;


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
-- Name: FUNCTION claim_job(p_job_id uuid, p_worker text, p_lease_seconds integer, p_memory_mb integer); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.claim_job(p_job_id uuid, p_worker text, p_lease_seconds integer, p_memory_mb integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_job(p_job_id uuid, p_worker text, p_lease_seconds integer, p_memory_mb integer) TO service_role;


--
-- Name: FUNCTION drain_outbox(p_quiet_seconds integer); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.drain_outbox(p_quiet_seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.drain_outbox(p_quiet_seconds integer) TO service_role;


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
-- Name: FUNCTION object_created(p_key text); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.object_created(p_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.object_created(p_key text) TO service_role;


--
-- Name: FUNCTION register_upload(p_filename text, p_size_bytes bigint, p_sha256 text, p_dataset_type text, p_parameters jsonb, p_on_duplicate text, p_pipeline_versions jsonb); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.register_upload(p_filename text, p_size_bytes bigint, p_sha256 text, p_dataset_type text, p_parameters jsonb, p_on_duplicate text, p_pipeline_versions jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.register_upload(p_filename text, p_size_bytes bigint, p_sha256 text, p_dataset_type text, p_parameters jsonb, p_on_duplicate text, p_pipeline_versions jsonb) TO authenticated;


--
-- Name: FUNCTION report_progress(p_job_id uuid, p_attempt integer, p_lease_seconds integer, p_progress double precision, p_stage text, p_detection jsonb); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.report_progress(p_job_id uuid, p_attempt integer, p_lease_seconds integer, p_progress double precision, p_stage text, p_detection jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.report_progress(p_job_id uuid, p_attempt integer, p_lease_seconds integer, p_progress double precision, p_stage text, p_detection jsonb) TO service_role;


--
-- Name: FUNCTION sweep_jobs(p_upload_seconds integer, p_quiet_seconds integer); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.sweep_jobs(p_upload_seconds integer, p_quiet_seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sweep_jobs(p_upload_seconds integer, p_quiet_seconds integer) TO service_role;


--
-- Name: TABLE attempts; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT ON TABLE assay.attempts TO authenticated;


--
-- Name: TABLE job_events; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT ON TABLE assay.job_events TO authenticated;


--
-- Name: TABLE outputs; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT ON TABLE assay.outputs TO authenticated;


--
-- Name: TABLE uploads; Type: ACL; Schema: assay; Owner: -
--

GRANT SELECT ON TABLE assay.uploads TO authenticated;


--
-- PostgreSQL database dump complete
--


CREATE TRIGGER assay_note_object AFTER INSERT OR UPDATE ON storage.objects FOR EACH ROW WHEN (((new.bucket_id = 'assay'::text) AND (new.name ~~ 'uploads/%'::text))) EXECUTE FUNCTION assay.note_object();
