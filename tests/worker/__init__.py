"""The worker: messages, attempts, the child process, webhooks and clean-up."""
