"""From upload to download on the whole local stack."""
