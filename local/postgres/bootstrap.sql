-- Of what a Supabase project has before the first migration that much which Assay uses, and nothing else. Makes only what is missing, so it
-- may run again, and on a database that is Supabase's.

do $$
begin
  if to_regrole('anon') is null then
    create role anon nologin noinherit;
  end if;
  if to_regrole('authenticated') is null then
    create role authenticated nologin noinherit;
  end if;
  if to_regrole('service_role') is null then
    create role service_role nologin noinherit bypassrls;
  end if;
  -- The role that callers log in as. It may do nothing but become one of the three. Its password is set at each start.
  if to_regrole('authenticator') is null then
    create role authenticator nologin noinherit;
    grant anon, authenticated, service_role to authenticator;
  end if;

  if to_regnamespace('auth') is null then
    create schema auth;
    grant usage on schema auth to anon, authenticated, service_role;
    grant usage on schema public to anon, authenticated, service_role;
  end if;

  -- The token's subject, from the claims that the Data API sets for each transaction.
  if to_regprocedure('auth.uid()') is null then
    create function auth.uid() returns uuid language sql stable as $body$
      select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
      )::uuid
    $body$;
  end if;

  -- Supabase Storage's tables, as its server's own migrations make them (github.com/supabase/storage, migrations/tenant), as far as a
  -- trigger on them can tell. Nothing here writes to them but tests: the local object store is another one.
  if to_regnamespace('storage') is null then
    if to_regrole('supabase_storage_admin') is null then
      create role supabase_storage_admin nologin noinherit;
    end if;
    create schema storage authorization supabase_storage_admin;
    grant usage on schema storage to anon, authenticated, service_role;

    create table storage.buckets (
      id                 text primary key,
      name               text not null unique,
      owner              uuid,
      owner_id           text,
      created_at         timestamptz default now(),
      updated_at         timestamptz default now(),
      public             boolean default false,
      avif_autodetection boolean default false,
      file_size_limit    bigint,
      allowed_mime_types text[]
    );
    create table storage.objects (
      id               uuid primary key default gen_random_uuid(),
      bucket_id        text references storage.buckets,
      name             text,
      owner            uuid,
      owner_id         text,
      created_at       timestamptz default now(),
      updated_at       timestamptz default now(),
      last_accessed_at timestamptz default now(),
      metadata         jsonb,
      path_tokens      text[] generated always as (string_to_array(name, '/')) stored,
      version          text,
      user_metadata    jsonb,
      unique (bucket_id, name)
    );
    alter table storage.buckets owner to supabase_storage_admin;
    alter table storage.objects owner to supabase_storage_admin;
    alter table storage.buckets enable row level security;
    alter table storage.objects enable row level security;
    grant all on storage.buckets, storage.objects to anon, authenticated, service_role;
  end if;
end
$$;
