"""From a new object to an ended job."""
