"""What the command does with this machine's files alone: no service, no stack."""
