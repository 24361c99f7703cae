-- An object that the queue was told of, and one that it was not.

insert into assay.outbox (object_key, told_at) values ('uploads/told', now()), ('uploads/new', null);
