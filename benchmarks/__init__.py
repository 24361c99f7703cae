"""Benchmarks of Assay, one module per question."""
