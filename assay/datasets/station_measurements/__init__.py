"""The pipeline for field measurements by station."""
