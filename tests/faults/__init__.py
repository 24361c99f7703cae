"""Every part killed, cut off or slowed down in turn, with real processes. Run by `make test-faults`."""
