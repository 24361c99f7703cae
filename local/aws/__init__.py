"""Local replacements for AWS: API gateway, queue poller, Lambda runtime."""
