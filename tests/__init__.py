"""Tests of the whole project; a folder for each part. Helpers that several folders use lie here."""
