"""The time limit of a worker."""

WORKER_SECONDS = 15 * 60
"""Lambda's limit, and the `Timeout` of functions/process in template.yaml.

Work that was given to a worker this long ago
without a report is given to another. The database uses the same limit."""
