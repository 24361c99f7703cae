"""Each database function and each fault behaves the same, whichever way the code reaches the database."""
