"""SQS records to jobs: claim, download, detect, run, store, finish."""
