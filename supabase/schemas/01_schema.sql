-- Assay's tables and helper functions. The Data API does not expose this schema: clients call the functions in
-- `public`, and only those change the tables.

create schema assay;
revoke all on schema assay from public;
grant usage on schema assay to authenticated, service_role;

-- Raise an error that every transport converts to problem details. The SQLSTATE is PT<status>, which PostgREST converts
-- to that HTTP status; the message is the detail, DETAIL the code and HINT the suggestion. A code may be followed by a
-- space and the seconds to wait before a retry.
create function assay.raise_problem(p_status integer, p_code text, p_detail text, p_suggestion text) returns void
language plpgsql set search_path = '' as $$
begin
    raise exception using errcode = 'PT' || p_status, message = p_detail, detail = p_code, hint = p_suggestion;
end $$;

-- The signed-in user. Raises a problem (401) if there is none.
create function assay.signed_in_owner() returns uuid
language plpgsql stable set search_path = '' as $$
begin
    if auth.uid() is null then
        perform assay.raise_problem(401, 'not_signed_in', 'The request has no signed-in user.',
            'Send a valid access token.');
    end if;
    return auth.uid();
end $$;

revoke execute on all functions in schema assay from public;
grant execute on function assay.raise_problem to authenticated;
