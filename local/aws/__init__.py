"""What AWS does around a function: gateway, poller, runtime."""
