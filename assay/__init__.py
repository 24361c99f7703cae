"""From a data file on disk to audited results on disk; no Lambda, no clock, no network."""
