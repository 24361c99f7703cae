"""How long a worker lives."""

WORKER_SECONDS = 15 * 60
"""Lambda's limit, and the `Timeout` of functions/process in template.yaml. What a worker was handed so long ago and did
not report, another one may have; the database counts with the same time."""
