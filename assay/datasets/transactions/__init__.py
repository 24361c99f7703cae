"""The pipeline for orders and payments."""
