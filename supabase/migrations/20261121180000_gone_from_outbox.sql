-- An object that is deleted is no news any more: the worker looks first, and passes over one that is gone. Its row would be told of for ever.

set lock_timeout = '5s';
set statement_timeout = '30s';

create function assay.forget_object() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    delete from assay.outbox where object_key = old.name;
    return null;
end $$;

create trigger assay_forget_object after delete on storage.objects
    for each row when (old.bucket_id = 'assay' and old.name like 'uploads/%')
    execute function assay.forget_object();

revoke execute on function assay.forget_object from public;
