"""Webhooks to the URLs that owners registered."""
