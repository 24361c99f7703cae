"""Writers of output formats, shared by all dataset types."""
