"""The object store by S3: signed links, deleting, and faults, on each kind of store."""
