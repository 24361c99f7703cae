"""Sends webhooks to the URLs that owners registered."""
