"""Every query, and the signed links."""
