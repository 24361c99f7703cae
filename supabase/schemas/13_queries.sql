-- Queries of signed-in users. SECURITY INVOKER: row level security applies, so another owner's job is not found.

-- A job with its attempts. Raises a problem (404).
create function public.get_job(p_job_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
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

-- The caller's jobs, newest first. The next page starts after (p_before_created_at, p_before_job_id).
create function public.list_jobs(
    p_status text default null, p_limit integer default 50,
    p_before_created_at timestamptz default null, p_before_job_id uuid default null
) returns jsonb
language sql stable set search_path = '' as $$
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

-- The outputs of a job, in the order in which the pipeline wrote them. Raises a problem (404).
create function public.list_outputs(p_job_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
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

-- An output with its object key. Raises a problem (404).
create function public.get_output(p_output_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
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

revoke execute on function public.get_job, public.list_jobs, public.list_outputs, public.get_output
    from public, anon, authenticated, service_role;
grant execute on function public.get_job, public.list_jobs, public.list_outputs, public.get_output to authenticated;
