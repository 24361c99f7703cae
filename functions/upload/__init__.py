"""Commands: uploads, jobs, webhooks and the account."""
