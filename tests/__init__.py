"""Tests, with one folder per part. Helpers of several folders are here."""
