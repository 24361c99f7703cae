"""Commands on local files, without a service or a stack."""
