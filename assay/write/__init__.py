"""How outputs are written: each way once, for every dataset type."""
