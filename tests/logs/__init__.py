"""What is logged, and that no cell of a file ever is."""
