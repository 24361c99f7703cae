-- Assay's own state. The Data API does not expose this schema: clients call the functions in `public`, which alone
-- change the tables.

create schema assay;
revoke all on schema assay from public;
grant usage on schema assay to authenticated, service_role;

-- Raise an error that every transport passes on as problem details. The SQLSTATE is PT<status>, which PostgREST turns
-- into that HTTP status; the message holds the detail, DETAIL the code and HINT the suggestion. A code may be followed
-- by a blank and the seconds after which to try again.
create function assay.raise_problem(p_status integer, p_code text, p_detail text, p_suggestion text) returns void
language plpgsql set search_path = '' as $$
begin
    raise exception using errcode = 'PT' || p_status, message = p_detail, detail = p_code, hint = p_suggestion;
end $$;

-- The signed-in user. Raises a problem (401) where there is none.
create function assay.signed_in_owner() returns uuid
language plpgsql stable set search_path = '' as $$
begin
    if auth.uid() is null then
        perform assay.raise_problem(401, 'not_signed_in', 'The request carries no signed-in user.',
            'Send a valid access token.');
    end if;
    return auth.uid();
end $$;

revoke execute on all functions in schema assay from public;
grant execute on function assay.raise_problem to authenticated;
