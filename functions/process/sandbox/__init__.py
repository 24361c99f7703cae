"""A child process for the analysis of one file, with limits: what crashes or eats too much is a job, not the worker."""
