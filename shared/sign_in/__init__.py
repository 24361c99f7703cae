"""Who is asking: verification of access tokens."""
