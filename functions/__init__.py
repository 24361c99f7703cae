"""The three Lambda functions; none imports another."""
