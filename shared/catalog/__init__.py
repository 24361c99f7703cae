"""Which dataset types and pipelines there are, read from their folders without importing them."""
