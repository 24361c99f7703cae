-- A price of the user's own, and an attempt that knows its memory, at a job that knows its cost.

update assay.list_prices set usd = 0.00001 where item = 'lambda_gb_second';
update assay.attempts set memory_mb = 1024 where outcome = 'done';
update assay.jobs set cost = '{"currency": "USD", "total": 0.1}' where status = 'done';
