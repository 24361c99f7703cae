"""Files packed in gzip, Zstandard or ZIP."""
