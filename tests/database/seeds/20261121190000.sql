-- A job whose type a person chose.

update assay.jobs set chosen_dataset_type = 'table', chosen_by = owner, chosen_at = now() where status = 'done';
