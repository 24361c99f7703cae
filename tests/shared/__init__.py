"""What all functions share: sign-in, settings, events, telemetry."""
