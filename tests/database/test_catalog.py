"""Everything that Assay makes in the database, from the catalog: nothing is left open, and nothing lies elsewhere.

Each check is a query for offenders, and beside it a statement that makes one, so that the check is seen to find it.
"""

from __future__ import annotations

from typing import NamedTuple

import psycopg
import pytest

from tests.database.hosted import ROLE
from tests.database.steps import Superuser

_OURS = "('assay'::regnamespace, 'public'::regnamespace)"


class Check(NamedTuple):
    """`offenders` finds none as the migrations leave the database, and one after `offence`."""

    offenders: str
    offence: str


CHECKS = {
    "a table without row level security": Check(
        f"""select oid::regclass from pg_class
        where relnamespace in {_OURS} and relkind in ('r', 'p') and not relrowsecurity""",
        "alter table assay.outbox disable row level security",
    ),
    "a view that reads with its owner's rights": Check(
        f"""select oid::regclass from pg_class
        where relnamespace in {_OURS} and relkind = 'v'
            and not coalesce(reloptions, '{{}}') @> array['security_invoker=true']""",
        "create view public.peek as select * from assay.jobs",
    ),
    "a relation that can have no row level security": Check(
        f"select oid::regclass from pg_class where relnamespace in {_OURS} and relkind in ('m', 'f')",
        "create materialized view assay.peek as select * from assay.jobs",
    ),
    "a table, view or sequence that anon or everybody has a right to": Check(
        f"""select c.oid::regclass, acl.privilege_type from pg_class c, aclexplode(c.relacl) acl
        where c.relnamespace in {_OURS} and acl.grantee in (0, 'anon'::regrole)""",
        "grant usage on sequence assay.job_events_event_id_seq to public",
    ),
    "a table that somebody but its owner may write to": Check(
        f"""select c.oid::regclass, acl.grantee::regrole, acl.privilege_type from pg_class c, aclexplode(c.relacl) acl
        where c.relnamespace in {_OURS} and acl.grantee <> c.relowner and acl.privilege_type <> 'SELECT'""",
        "grant truncate on assay.jobs to service_role",
    ),
    "a function that anon or everybody may execute": Check(
        f"""select oid::regprocedure from pg_proc
        where pronamespace in {_OURS} and has_function_privilege('anon', oid, 'EXECUTE')""",
        "create function assay.anything() returns integer language sql set search_path = '' as 'select 1'",
    ),
    "a function whose search_path is the caller's": Check(
        f"""select oid::regprocedure from pg_proc
        where pronamespace in {_OURS} and not coalesce(proconfig, '{{}}') @> array['search_path=""']""",
        "alter function public.drain_outbox reset search_path",
    ),
    "a type of its own that everybody may use": Check(
        f"""select t.oid::regtype from pg_type t left join pg_class c on c.oid = t.typrelid
        where t.typnamespace in {_OURS} and t.typelem = 0 and (t.typrelid = 0 or c.relkind = 'c') and exists (
            select from aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) acl where acl.grantee = 0)""",
        "create type assay.colour as enum ('red')",
    ),
    "a right to the schema that is too much": Check(
        """select nspname from pg_namespace where nspname = 'assay' and (has_schema_privilege('anon', oid, 'USAGE')
            or has_schema_privilege('authenticated', oid, 'CREATE')
            or has_schema_privilege('service_role', oid, 'CREATE'))""",
        "grant usage on schema assay to public",
    ),
    "a policy for a role other than authenticated": Check(
        f"""select p.polrelid::regclass, p.polname from pg_policy p join pg_class c on c.oid = p.polrelid
        where c.relnamespace in {_OURS} and p.polroles <> array['authenticated'::regrole::oid]""",
        "create policy anybody on assay.outbox for select using (true)",
    ),
    "a policy that asks for the user once a row": Check(
        r"""select tablename, policyname from pg_policies where schemaname in ('assay', 'public')
            and coalesce(qual, '') || coalesce(with_check, '') !~* 'select auth\.uid\(\)'""",
        "create policy slow on assay.jobs for select to authenticated using (owner = auth.uid())",
    ),
    "a policy on a column that leads no index": Check(
        f"""select p.polrelid::regclass, p.polname, a.attname
        from pg_policy p
        join pg_class c on c.oid = p.polrelid
        join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = p.oid
            and d.refclassid = 'pg_class'::regclass and d.refobjid = p.polrelid
        join pg_attribute a on a.attrelid = p.polrelid and a.attnum = d.refobjsubid and a.attnum > 0
        where c.relnamespace in {_OURS} and not exists (
            select from pg_index i where i.indrelid = p.polrelid
                and i.indkey[0] = a.attnum and i.indpred is null and i.indisvalid)""",
        "drop index assay.outputs_by_owner",
    ),
    "a foreign key whose columns lead no index": Check(
        f"""select k.conrelid::regclass, k.conname from pg_constraint k
        where k.connamespace in {_OURS} and k.contype = 'f' and not exists (
            select from pg_index i where i.indrelid = k.conrelid and i.indpred is null and i.indisvalid
                and (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey)""",
        "drop index assay.outputs_by_attempt",
    ),
    "a constraint or an index that does not hold": Check(
        f"""select conname::text from pg_constraint where connamespace in {_OURS} and not convalidated
        union all
        select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid
        where c.relnamespace in {_OURS} and not i.indisvalid""",
        "alter table assay.jobs add constraint later check (size_bytes > 1) not valid",
    ),
    "a right that what comes later will have by itself": Check(
        """select defaclnamespace::regnamespace, acl.grantee, acl.privilege_type
        from pg_default_acl, aclexplode(defaclacl) acl
        where defaclnamespace in (0, 'assay'::regnamespace) and acl.grantee <> defaclrole""",
        f"alter default privileges for role {ROLE} in schema assay grant select on tables to anon",
    ),
    "a thing of ours in a schema of others": Check(
        f"""select oid::regclass::text from pg_class
        where relowner = '{ROLE}'::regrole and relkind not in ('i', 't')
            and relnamespace not in {_OURS} and relnamespace <> 'supabase_migrations'::regnamespace
        union all
        select oid::regprocedure::text from pg_proc
        where proowner = '{ROLE}'::regrole and pronamespace not in {_OURS}""",
        f"alter function auth.uid() owner to {ROLE}",
    ),
    "a trigger of ours on a table of others but the three on storage.objects": Check(
        """select t.tgrelid::regclass, t.tgname
        from pg_trigger t join pg_proc f on f.oid = t.tgfoid join pg_class c on c.oid = t.tgrelid
        where f.pronamespace = 'assay'::regnamespace and c.relnamespace <> 'assay'::regnamespace
            and not (t.tgrelid = 'storage.objects'::regclass
                and t.tgname in ('assay_note_object', 'assay_forget_object', 'assay_forget_old_name'))""",
        "create trigger another after delete on storage.objects for each row execute function assay.note_object()",
    ),
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
def test_there_is_not(superuser: Superuser, check: Check) -> None:
    assert superuser.execute(check.offenders.encode()).fetchall() == []


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
def test_the_check_finds(superuser: Superuser, check: Check) -> None:
    with superuser.transaction():
        superuser.execute(check.offence.encode())
        found = superuser.execute(check.offenders.encode()).fetchall()
        raise psycopg.Rollback
    assert found


def test_the_catalog_holds_what_the_checks_look_at(superuser: Superuser) -> None:
    kinds = superuser.execute(
        "select (select count(*) from pg_class where relnamespace = 'assay'::regnamespace and relkind = 'r'), "
        "(select count(*) from pg_proc where pronamespace = 'assay'::regnamespace), "
        "(select count(*) from pg_proc where pronamespace = 'public'::regnamespace), "
        "(select count(*) from pg_policies where schemaname = 'assay'), "
        "(select count(*) from pg_trigger where tgname like 'assay_%' and tgrelid = 'storage.objects'::regclass)"
    ).fetchone()
    assert kinds is not None
    assert all(isinstance(count, int) and count > 0 for count in kinds)
