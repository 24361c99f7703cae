-- Undoes 20261121130000: what lies in Supabase Storage and was not taken yet is told of no more.

set lock_timeout = '5s';
set statement_timeout = '30s';

-- With its trigger. Not `drop trigger`, which only the owner of storage.objects may do.
drop function assay.note_object cascade;
drop function public.drain_outbox;

create or replace function public.object_created(p_key text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_upload_id uuid;
begin
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
end $$;

drop table assay.outbox;

delete from supabase_migrations.schema_migrations where version = '20261121130000';
