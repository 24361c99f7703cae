"""Scripts that make and CI run: generated files and checks."""
