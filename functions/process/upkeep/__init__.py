"""What runs once a minute: the sweep, the clean-up and the outbox."""
