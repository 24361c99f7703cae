"""The local object store and queue."""
