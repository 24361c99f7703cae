-- What is to be deleted later, what may be reused until then, what is being deleted, and that of which more came meanwhile.

insert into assay.deletions (object_key, due_at, taken_at, reusable, again) values
    ('outputs/00000000-0000-4000-8000-000000000000/00000000-0000-4000-8000-000000000009/', now() + interval '1 hour', null, false, false),
    ('uploads/00000000-0000-4000-8000-000000000000/' || repeat('a', 64), now() + interval '1 hour', null, true, false),
    ('uploads/00000000-0000-4000-8000-000000000000/' || repeat('b', 64), now(), now(), false, true);
