"""The handlers in the Lambda runtime, from source and as built packages."""
