-- Columns that people confirmed: which column of the files with one header plays which part, for one dataset type.

-- `columns` is {role: header, or null where there is no such column}. A header is known by its hash, which the worker
-- tells with the detection; `filename` is the last file that had it, for people.
create table assay.remembered_columns (
    choice_id     uuid primary key default gen_random_uuid(),
    owner         uuid not null,
    dataset_type  text not null check (dataset_type ~ '^[a-z][a-z0-9_]{0,62}$'),
    header_sha256 text not null check (header_sha256 ~ '^[0-9a-f]{64}$'),
    columns       jsonb not null check (jsonb_typeof(columns) = 'object' and octet_length(columns::text) <= 16384),
    filename      text not null,
    chosen_by     uuid not null,
    chosen_at     timestamptz not null default now()
);
create unique index remembered_columns_one_a_header
    on assay.remembered_columns (owner, dataset_type, header_sha256);
create index remembered_columns_by_age on assay.remembered_columns (owner, chosen_at, choice_id);

alter table assay.remembered_columns enable row level security;
create policy owner_reads on assay.remembered_columns for select to authenticated using (owner = (select auth.uid()));
grant select on assay.remembered_columns to authenticated;

-- A choice as the API shows it.
create function assay.remembered_json(p_choice assay.remembered_columns) returns jsonb
language sql stable set search_path = '' as $$
    select to_jsonb(p_choice) - 'owner'
$$;

-- Remember the columns that were named for a job that is done, in place of those of the same header. An owner has 100
-- choices at most: the oldest makes room.
create function assay.remember_columns(p_job assay.jobs) returns void
language plpgsql set search_path = '' as $$
declare
    v_roles jsonb := p_job.detection -> 'columns' -> 'roles';
    v_columns jsonb;
begin
    if jsonb_typeof(v_roles) is distinct from 'object' or p_job.detection ->> 'header_sha256' is null
        or p_job.detection ->> 'likeliest' is distinct from p_job.dataset_type
        or not jsonb_path_exists(v_roles, '$.*.how ? (@ == "given")') then
        return;
    end if;
    select jsonb_object_agg(r.key, r.value -> 'column') into v_columns
    from jsonb_each(v_roles) r where r.value ->> 'how' in ('given', 'remembered');
    if octet_length(v_columns::text) > 16384 then
        return;
    end if;
    insert into assay.remembered_columns (owner, dataset_type, header_sha256, columns, filename, chosen_by)
    values (p_job.owner, p_job.dataset_type, p_job.detection ->> 'header_sha256', v_columns, p_job.filename,
        coalesce(p_job.chosen_by, p_job.owner))
    on conflict (owner, dataset_type, header_sha256) do update set
        columns = excluded.columns, filename = excluded.filename, chosen_by = excluded.chosen_by, chosen_at = now();
    delete from assay.remembered_columns where choice_id in (
        select c.choice_id from assay.remembered_columns c where c.owner = p_job.owner
        order by c.chosen_at desc, c.choice_id desc offset 100);
end $$;

-- What an owner's worker needs of them.
create function assay.claimed_columns(p_owner uuid) returns jsonb
language sql stable set search_path = '' as $$
    select coalesce(jsonb_agg(jsonb_build_object('dataset_type', c.dataset_type, 'header_sha256', c.header_sha256,
        'columns', c.columns) order by c.chosen_at, c.choice_id), '[]')
    from assay.remembered_columns c where c.owner = p_owner
$$;

-- Oldest first; there are 100 at most.
create function public.list_remembered_columns() returns jsonb
language sql stable set search_path = '' as $$
    select coalesce(jsonb_agg(assay.remembered_json(c) order by c.chosen_at, c.choice_id), '[]')
    from assay.remembered_columns c where c.owner = (select auth.uid())
$$;

-- Put other columns in the place of those that were remembered; jobs that have begun keep theirs. Raises a problem
-- (404; 422 for what is no object of texts and nulls).
create function public.edit_remembered_columns(p_choice_id uuid, p_columns jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
    v_choice assay.remembered_columns;
begin
    if jsonb_typeof(p_columns) is distinct from 'object' or octet_length(p_columns::text) > 16384
        or jsonb_path_exists(p_columns, 'strict $.* ? (@.type() != "string" && @.type() != "null")') then
        perform assay.raise_problem(422, 'invalid_columns', 'The columns are not an object of roles and headers.',
            'Send an object such as {"revenue": "Gross"}; null means that there is no such column.');
    end if;
    update assay.remembered_columns set columns = p_columns, chosen_by = v_owner, chosen_at = now()
    where choice_id = p_choice_id and owner = v_owner returning * into v_choice;
    if not found then
        perform assay.raise_problem(404, 'columns_not_found', 'There are no such remembered columns.',
            'List yours with GET /columns.');
    end if;
    return assay.remembered_json(v_choice);
end $$;

-- Forget columns; jobs that have begun keep theirs. Raises a problem (404).
create function public.forget_columns(p_choice_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
    v_owner uuid := assay.signed_in_owner();
begin
    delete from assay.remembered_columns where choice_id = p_choice_id and owner = v_owner;
    if not found then
        perform assay.raise_problem(404, 'columns_not_found', 'There are no such remembered columns.',
            'List yours with GET /columns.');
    end if;
    return jsonb_build_object('deleted', true);
end $$;

revoke execute on all functions in schema assay from public;
grant execute on function assay.remembered_json to authenticated;
revoke execute on function public.list_remembered_columns, public.edit_remembered_columns, public.forget_columns
    from public, anon, authenticated, service_role;
grant execute on function public.list_remembered_columns, public.edit_remembered_columns, public.forget_columns
    to authenticated;
