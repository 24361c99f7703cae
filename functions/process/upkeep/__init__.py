"""The sweep, which runs once a minute, with the clean-up and the outbox."""
