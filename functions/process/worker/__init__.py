"""From an object that arrived to a job that ended."""
